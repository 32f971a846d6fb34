"""Configs of tests with true depth in some cells."""

import pytest
from mmengine.config import Config

from hybrid_depth.depth_worth.swaps import (
    PREDICTED,
    TRUE,
    Swap,
    class_swaps,
    config_of,
    range_swaps,
)
from hybrid_depth.errors import ConfigError


@pytest.fixture
def cfg() -> Config:
    kinds = ('LoadMultiViewImages', 'ImageAugmentation', 'PackBEVInputs')
    dataset = dict(data_root='data', pipeline=[dict(type=kind) for kind in kinds], type='x')
    return Config(dict(test_dataloader=dict(dataset=dataset), custom_hooks=[dict(type='H')]))


def test_parts():
    first, second, *_, last = range_swaps((0, 10, 20.5))
    assert first == Swap('range', '0-10 m', True, dict(ranges=[(0, 10)]))
    assert second == Swap('range', '0-10 m', False, dict(ranges=[(0, 10)]))
    assert last == Swap('range', 'over 20.5 m', False, dict(ranges=[(20.5, None)]))
    names = [(swap.name, swap.there) for swap in class_swaps(['car'])]
    assert names == [('car', True), ('car', False), ('background', True), ('background', False)]
    for edges in ((10, 10), (10, 0), ()):
        with pytest.raises(ConfigError, match='ascending edges'):
            range_swaps(edges)


def test_hooks_of_a_test(cfg):
    there, elsewhere = range_swaps((5,))
    assert config_of(cfg, PREDICTED, 'depth').custom_hooks == cfg.custom_hooks
    for swap, inverse, more in (
        (TRUE, False, {}),
        (there, False, dict(ranges=[(5, None)])),
        (elsewhere, True, dict(ranges=[(5, None)])),
    ):
        kept, hook = config_of(cfg, swap, 'depth', 0.5).custom_hooks
        assert kept == dict(type='H')
        assert hook == dict(type='TrueDepthHook', inverse=inverse, sigma=0.5, **more)
    assert len(cfg.custom_hooks) == 1


def test_depth_is_loaded_after_the_augmentation(cfg):
    pipeline = config_of(cfg, PREDICTED, 'depth').test_dataloader.dataset.pipeline
    assert pipeline[2] == dict(type='LoadTrueDepth', folder='depth', root='data')
    assert [t['type'] for t in pipeline][1:2] == ['ImageAugmentation'] and len(pipeline) == 4
    cfg.test_dataloader.dataset.pipeline = [dict(type='LoadFrames')]
    with pytest.raises(ConfigError, match='expected a detector'):
        config_of(cfg, TRUE, 'depth')
