"""Test-time augmentation of detectors: the calibration follows the images."""

import pytest
import torch

pytest.importorskip('mmdet3d')
from mmengine.registry import DefaultScope  # noqa: E402

from hybrid_depth.bev.detectors.tta import DetectorTTA, augmented  # noqa: E402
from hybrid_depth.checkpoints.build import build_model  # noqa: E402
from hybrid_depth.engine.config import enable_tta, read_config  # noqa: E402
from hybrid_depth.errors import ConfigError  # noqa: E402
from hybrid_depth.geometry import CameraRig  # noqa: E402
from hybrid_depth.inference.complexity import detection_inputs  # noqa: E402


@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('scale', [0.8, 1.0, 1.25])
def test_points_stay_on_their_pixels(scale, flip):
    """A dot at the projection of a point is at its projection by the new calibration."""
    k = torch.tensor([[60.0, 0, 40], [0, 60, 25], [0, 0, 1]], dtype=torch.float64)
    front = [[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]
    unit = torch.eye(4, dtype=torch.float64)
    rig = CameraRig(
        k[None, None],
        torch.tensor([[front]], dtype=torch.float64),
        unit[None, None, :3, :3],
        unit[None],
        unit[None],
    )
    point = torch.tensor([10.0, 2.0, 2.5, 1.0], dtype=torch.float64)

    def projection(rig: CameraRig) -> torch.Tensor:
        pixel = rig.ego2img()[0, 0] @ point
        return pixel[:2] / pixel[2]

    u, v = projection(rig).round().long()
    images = torch.zeros(1, 1, 3, 48, 80)
    images[..., v - 1 : v + 2, u - 1 : u + 2] = 1
    depth = images[:, :, 0] * 10
    inputs = dict(imgs=images, rig=rig, physics_depth=depth)
    inputs['adjacent'] = [dict(imgs=images, rig=rig)]
    found = augmented(inputs, scale, flip)
    for frame in (found, found['adjacent'][0]):
        assert frame['imgs'].shape == images.shape
        weights = frame['imgs'][0, 0, 0]
        rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(80.0), indexing='ij')
        centre = torch.stack([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()
        # mirroring and cropping have half-pixel offsets, as in training (ImageAugmentation)
        assert (centre - projection(frame['rig'])).abs().max() < 1.2
    seen = found['physics_depth']
    assert seen.shape == depth.shape and set(seen.unique().tolist()) == {0.0, 10.0}
    assert (seen[0, 0] > 0)[found['imgs'][0, 0, 0] > 0.9].all()


@pytest.fixture(scope='module')
def toy() -> tuple:
    cfg = read_config('toy/bevdet4d_toy.py')
    model = build_model(cfg).eval()
    return model, detection_inputs(model, cfg)


def predict(model, data) -> list:
    with DefaultScope.overwrite_default_scope('mmdet3d'), torch.no_grad():
        [sample] = model.test_step(data())
    return sample


def test_one_view_is_the_model(toy):
    model, data = toy
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        found = predict(DetectorTTA(model, flip=False), data)
    expected = predict(model, data)
    assert len(expected.pred_instances_3d.scores_3d) > 0
    torch.testing.assert_close(
        found.pred_instances_3d.scores_3d, expected.pred_instances_3d.scores_3d, atol=1e-5, rtol=0
    )
    torch.testing.assert_close(found.pred_depth.data, expected.pred_depth.data)


def test_views_change_the_boxes_and_not_the_depth(toy):
    model, data = toy
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        wrapped = DetectorTTA(model, scales=(1.0, 1.1))
    assert len(wrapped.views) == 4
    found, expected = predict(wrapped, data), predict(model, data)
    scores = [s.pred_instances_3d.scores_3d[:5] for s in (found, expected)]
    assert (scores[0] - scores[1]).abs().max() > 1e-4
    torch.testing.assert_close(found.pred_depth.data, expected.pred_depth.data)


def test_heatmaps_are_averaged_as_probabilities():
    logits = [torch.tensor([-2.0, 3.0]), torch.tensor([1.0, 3.0])]
    maps = [([dict(heatmap=h, reg=h)],) for h in logits]
    [[merged]] = DetectorTTA.merge_preds(None, maps)
    expected = (logits[0].sigmoid() + logits[1].sigmoid()) / 2
    torch.testing.assert_close(merged['heatmap'].sigmoid(), expected)
    torch.testing.assert_close(merged['reg'], (logits[0] + logits[1]) / 2)


def test_recurrent_detectors_are_refused():
    cfg = read_config('toy/fbbev_hybrid_history_toy.py')
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        with pytest.raises(ConfigError, match='without recurrence'):
            DetectorTTA(cfg.model)


def test_the_option_wraps_the_model():
    cfg = read_config('toy/bevdet_plain_toy.py')
    enable_tta(cfg, [0.9, 1.0])
    assert cfg.model.type == 'DetectorTTA' and cfg.model.scales == (0.9, 1.0)
    assert cfg.model.module.type == 'BEVDet'
    cfg = read_config('toy/monodepth2_r18_toy.py')
    enable_tta(cfg, [])
    assert cfg.model.type == 'DepthTTA' and cfg.model.scales == (1.0,)
    cfg.test_evaluator = dict(type='LaneMetric')
    with pytest.raises(ConfigError, match='--tta expected'):
        enable_tta(cfg, [])
