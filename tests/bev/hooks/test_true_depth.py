"""Detectors that lift with true depth."""

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from hybrid_depth.bev.depth_nets.supervision import block_minimum_depth
from hybrid_depth.bev.hooks.true_depth import SHARE, TrueDepthHook
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.datasets.nuscenes.names import CLASSES
from hybrid_depth.errors import ConfigError
from tests.bev.toy import training_keyframe
from tests.conftest import ROOT


class Runner:
    """Runner with the attributes used by the hook."""

    class test_dataloader:
        class dataset:
            metainfo = dict(classes=CLASSES)

    train_dataloader = test_dataloader

    def __init__(self, model: torch.nn.Module) -> None:
        self.model = model


@pytest.fixture(scope='module')
def sample(toy_nuscenes, tmp_path_factory) -> dict:
    """A key frame with the previous one; 40 % of the image has a true depth of 10 m, the next
    40 % one of 30 m, the rest none."""
    folder = tmp_path_factory.mktemp('infos')
    sample = training_keyframe('bevdet4d_toy', toy_nuscenes, folder, 1)
    depth = torch.zeros(len(sample['inputs']['img']), 96, 256)
    depth[..., :104], depth[..., 104:208] = 10.2, 30.2
    sample['inputs']['true_depth'] = depth
    return sample


def predicted(model, hook: TrueDepthHook | None, sample: dict) -> torch.Tensor:
    """Expected depth (N, h, w) of a prediction, with the hook installed as in a test."""
    runner = Runner(model)
    if hook is not None:
        hook.before_test(runner)
    with torch.no_grad():
        results = model.test_step(pseudo_collate([sample]))
    if hook is not None:
        hook.after_run(runner)
    return results[0].pred_depth.data


@pytest.fixture(scope='module')
def detector():
    return build_model(Config.fromfile(ROOT / 'configs/toy/bevdet4d_toy.py')).eval()


@pytest.mark.parametrize(
    ('choice', 'swapped'),
    [
        (dict(), (True, True)),
        (dict(ranges=[(0, 20)]), (True, False)),
        (dict(ranges=[(0, 20)], inverse=True), (False, True)),
        (dict(ranges=[(20, None)]), (False, True)),
        (dict(classes=[]), (False, False)),
    ],
)
def test_chosen_cells_have_true_depth(detector, sample, choice, swapped):
    own = predicted(detector, None, sample)
    hook = TrueDepthHook(**choice)
    found = predicted(detector, hook, sample)
    parts = (slice(None, 13), slice(13, 26))
    for part, value, is_true in zip(parts, (10.2, 30.2), swapped, strict=True):
        expected = own[..., part] * 0 + value if is_true else own[..., part]
        torch.testing.assert_close(
            found[..., part], expected, atol=0.31, rtol=0
        )  # a third of a bin
    assert torch.equal(found[..., 26:], own[..., 26:]), 'cells of unknown depth'
    metrics = {}
    hook.after_test_epoch(None, metrics)
    assert metrics[SHARE] == pytest.approx(sum(swapped) * 13 / 32)
    assert torch.equal(predicted(detector, None, sample), own), 'nothing is left behind'


def test_the_map_changes_but_not_that_of_earlier_frames(detector, sample):
    lifted = []
    handle = detector.img_view_transformer.depth_net.register_forward_hook(
        lambda net, args, output: lifted.append(output.prob)
    )
    predicted(detector, None, sample)
    hook = TrueDepthHook()
    hook.before_test(Runner(detector))
    last = detector.img_view_transformer.depth_net.register_forward_hook(
        lambda net, args, output: lifted.append(output.prob)
    )
    with torch.no_grad():
        detector.test_step(pseudo_collate([sample]))
    for each in (handle, last):
        each.remove()
    hook.after_run(None)
    (own, own_earlier), (_, swapped, _, earlier) = lifted[:2], lifted[2:]
    assert torch.equal(earlier, own_earlier) and not torch.equal(swapped, own)


def test_classes_are_those_of_true_boxes(detector, sample):
    """Cells of cars and all others are all cells of known depth, in test and in training."""
    shares = []
    for choice in (dict(classes=['car']), dict(classes=['car'], inverse=True), dict()):
        hook, metrics = TrueDepthHook(**choice), {}
        own = dict(sample, inputs=dict(sample['inputs']))
        own['inputs']['true_depth'] = sample['inputs']['gt_depth']
        predicted(detector, hook, own)
        hook.after_test_epoch(None, metrics)
        shares.append(metrics[SHARE])
    assert shares[0] > 0.002 and shares[0] + shares[1] == pytest.approx(shares[2])
    cells = block_minimum_depth(sample['inputs']['gt_depth'], (12, 32))
    assert shares[2] == pytest.approx((cells > 0).float().mean().item())


def test_width_is_that_of_the_supervision():
    """toy detectors are supervised with a sigma of 0.7 bins; 0 asks for one bin."""
    model = build_model(Config.fromfile(ROOT / 'configs/toy/bevdet_depth_toy.py'))
    for given, expected in ((None, 0.7), (0, 0), (1.5, 1.5)):
        hook = TrueDepthHook(sigma=given)
        hook.before_train(Runner(model))
        assert hook.sigma == expected
        hook.after_run(None)
    model.img_view_transformer.depth_net.depth_targets = []
    hook = TrueDepthHook()
    hook.before_train(Runner(model))
    assert hook.sigma == 0


def test_errors(detector, sample):
    with pytest.raises(ConfigError, match='out of background, car.*got tram'):
        TrueDepthHook(classes=['tram']).before_test(Runner(detector))
    inputs = {key: value for key, value in sample['inputs'].items() if key != 'true_depth'}
    hook = TrueDepthHook()
    with pytest.raises(ConfigError, match='add LoadTrueDepth'):
        predicted(detector, hook, dict(sample, inputs=inputs))
    hook.after_run(None)
    bare = dict(sample, data_samples=sample['data_samples'].clone())
    del bare['data_samples'].gt_instances_3d
    bare['data_samples'].eval_ann_info = None
    hook = TrueDepthHook(classes=['car'])
    with pytest.raises(ConfigError, match='expected true boxes'):
        predicted(detector, hook, bare)
    hook.after_run(None)
