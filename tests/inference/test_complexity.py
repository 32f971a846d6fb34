"""Costs of models, compared with counts by hand."""

import pytest

pytest.importorskip('mmdet3d')
from mmengine.config import Config  # noqa: E402

from hybrid_depth.engine.config import read_config  # noqa: E402
from hybrid_depth.errors import ConfigError  # noqa: E402
from hybrid_depth.inference.complexity import cost_table, model_costs  # noqa: E402

DEPTH = Config(
    dict(
        model=dict(
            type='Monodepth2',
            encoder=dict(type='TimmDepthEncoder', name='test_resnet'),
            decoder=dict(type='Monodepth2Decoder', in_strides=[2, 4, 8, 16, 32]),
            pose_net=None,
        )
    )
)


def test_operations_of_a_depth_model_grow_with_the_image():
    small, large = (model_costs(DEPTH, size) for size in ((64, 96), (128, 192)))
    assert [part.name for part in small] == ['total', 'encoder', 'decoder']
    for before, after in zip(small, large, strict=True):
        assert after.flops == 4 * before.flops > 0  # convolutions only
        assert after.parameters == before.parameters > 0
    assert small[0].flops == small[1].flops + small[2].flops


def test_a_depth_model_of_unknown_size_needs_one():
    with pytest.raises(ConfigError, match='expected --size'):
        model_costs(DEPTH)


@pytest.mark.parametrize('name', ['bevdet4d', 'fbbev_hybrid_history'])
def test_detectors_need_no_data(name):
    """With earlier frames, recurrence and refinement."""
    cfg = read_config(f'toy/{name}_toy.py')
    costs = {part.name: part for part in model_costs(cfg)}
    assert costs['img_backbone'].flops > 0 and costs['pts_bbox_head'].flops > 0
    assert costs['total'].flops >= max(part.flops for part in costs.values())
    with pytest.raises(ConfigError, match='expected no --size'):
        model_costs(cfg, (64, 96))
    assert cost_table([costs['total']]).splitlines()[1].startswith('total ')


def test_a_backbone_counts_for_every_frame():
    one, two = (
        {part.name: part.flops for part in model_costs(read_config(f'toy/{name}_toy.py'))}
        for name in ('bevdet_depth', 'bevdet4d')
    )
    assert two['img_backbone'] == 2 * one['img_backbone']
