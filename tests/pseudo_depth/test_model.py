"""Pseudo depth of a self-supervised model: scale, consistency checks, cache, losses."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hybrid_depth.depth.pose.nets import PoseCNN
from hybrid_depth.errors import ConfigError
from hybrid_depth.geometry import DepthMap, cell_pixels, ground_plane_depth
from hybrid_depth.geometry.depth_consistency import depth_consistency_mask
from hybrid_depth.geometry.projection import focal_length
from hybrid_depth.pseudo_depth import model as pseudo_depth
from hybrid_depth.pseudo_depth.model import PseudoDepth
from tests.bev.depth_nets.test_semantics import forward_rig

SIZE = (32, 64)
FACTOR = 5.4


class ReadsChannel(nn.Module):
    """Estimator whose disparity is the first channel of the image, at its `canonical_focal` if
    any, and whose pose net returns `motion`. `cameras` are those of all calls."""

    image_size = SIZE
    motion = torch.eye(4)
    canonical_focal = None

    def __init__(self):
        super().__init__()
        self.pose_net = SimpleNamespace(depth_scaled=False)
        self.cameras = []

    def predict(self, frames: dict, cameras: torch.Tensor) -> DepthMap:
        self.cameras.append(cameras)
        disparity = frames[0][:, :1].clone()
        if self.canonical_focal is not None:
            ratio = self.canonical_focal / focal_length(cameras)
            disparity *= ratio.view(-1, 1, 1, 1).float()
        return DepthMap(disparity, 'disparity')

    def relative_pose(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return self.motion.repeat(len(first), 1, 1)


@pytest.fixture
def street() -> torch.Tensor:
    """(1, 1, 32, 64) metres: ground with a wall at 30 m, 1.5 m below the camera."""
    plane = ground_plane_depth(cell_pixels(SIZE, SIZE), forward_rig(), max_depth=80.0)
    return torch.where(plane > 0, plane, 30.0).clamp(max=30.0).float()


def inputs_of(street: torch.Tensor) -> dict:
    images = torch.zeros(1, 1, 3, *SIZE)
    images[:, :, 0] = FACTOR / street
    return dict(imgs=images, rig=forward_rig())


def test_metric_scale_without_lidar(street):
    depth, scale = PseudoDepth(ReadsChannel())(inputs_of(street))
    torch.testing.assert_close(depth, street, rtol=0.01, atol=0)
    assert abs(float(scale.scale) - FACTOR) < 0.01 * FACTOR
    known = PseudoDepth(ReadsChannel(), max_depth=20.0)(inputs_of(street))[0]
    assert torch.equal(known > 0, street * 1.001 <= 20.0)


def test_the_model_is_frozen():
    model = ReadsChannel()
    model.norm = nn.BatchNorm2d(3)
    PseudoDepth(model.train())
    assert not any(module.training for module in model.modules())
    assert not any(p.requires_grad for p in model.parameters())


def test_both_disparities_are_averaged(street):
    class OneSided(ReadsChannel):
        """4 % more disparity in the left half of whatever image it is given."""

        def predict(self, frames, cameras):
            prediction = super().predict(frames, cameras)
            prediction.values[..., : SIZE[1] // 2] *= 1.04
            return prediction

    depth, _ = PseudoDepth(OneSided(), 'none')(inputs_of(street))
    torch.testing.assert_close(depth * FACTOR * 1.02, street)


def test_ground_from_a_mask(street):
    """An object covers most of the road, which would give a smaller scale."""
    inputs = inputs_of(street)
    rows, columns = slice(20, 32), slice(0, 48)
    inputs['imgs'][:, :, 0, rows, columns] *= 1.5
    mask = torch.ones(1, 1, *SIZE, dtype=torch.bool)
    mask[..., rows, columns] = False
    _, misled = PseudoDepth(ReadsChannel(), mirror_tolerance=9)(inputs)
    _, scale_of_mask = PseudoDepth(ReadsChannel(), mirror_tolerance=9)(
        dict(inputs, ground_mask=mask)
    )
    assert float(scale_of_mask.scale) == pytest.approx(FACTOR, rel=0.01)
    assert not float(misled.scale) == pytest.approx(FACTOR, rel=0.1)


def test_images_of_another_size_are_resized(street):
    inputs = inputs_of(street)
    big = nn.functional.interpolate(inputs['imgs'][0], scale_factor=2, mode='nearest')[None]
    affine = torch.tensor([[2.0, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]).double()
    rig = replace(inputs['rig'], img_aug=affine[None, None])
    depth, scale = PseudoDepth(ReadsChannel())(dict(imgs=big, rig=rig))
    assert depth.shape[-2:] == SIZE and abs(float(scale.scale) - FACTOR) < 0.02 * FACTOR


def test_pixels_inconsistent_with_the_mirrored_image_are_dropped(street):
    class Inconsistent(ReadsChannel):
        def predict(self, frames, cameras):
            prediction = super().predict(frames, cameras)
            prediction.values[..., :10] *= 1.5  # larger at the left for any image
            return prediction

    depth, _ = PseudoDepth(Inconsistent())(inputs_of(street))
    assert (depth[..., :10] == 0).all() and (depth[..., -10:] == 0).all()
    assert (depth[..., 10:-10] > 0).all()


def drive(inputs: dict, metres: float) -> dict:
    """The street from an earlier position of the vehicle; the wall is static."""
    before = replace(inputs['rig'], ego2global=torch.eye(4).double()[None].clone())
    before.ego2global[0, 0, 3] = -metres
    depth = FACTOR / inputs['imgs'][:, :, :1]
    depth = torch.where(depth > 29.9, depth + metres, depth)
    images = inputs['imgs'].clone()
    images[:, :, :1] = FACTOR / depth
    return dict(imgs=images, rig=before)


@pytest.mark.parametrize('enlarged', [1, 2])
def test_pixels_inconsistent_with_the_previous_frame_are_dropped(street, enlarged, monkeypatch):
    """A new object; the model's images have half the size of the inputs."""
    inputs = inputs_of(street)
    before = drive(inputs, 3.0)
    before['imgs'] *= 2  # another unit
    inputs['imgs'][..., 0, 5:12, 20:30] = FACTOR / 10.0
    affine = torch.tensor([[2.0, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]).double()[None, None]
    for frame in (inputs, before) if enlarged == 2 else ():
        frame['imgs'] = frame['imgs'].repeat_interleave(2, -1).repeat_interleave(2, -2)
        frame['rig'] = replace(frame['rig'], img_aug=affine)
    inputs['adjacent'] = [before]
    source = dict(model=ReadsChannel(), scale='ground', mirror_tolerance=9.0)
    transforms = []

    def spy(depth, other, cam2img, other_cam2img, transform, tolerance):
        transforms.append(transform)
        for matrix in (cam2img, other_cam2img):  # pixel centres do not move
            torch.testing.assert_close(matrix, forward_rig().cam2img[0])
        return depth_consistency_mask(depth, other, cam2img, other_cam2img, transform, tolerance)

    monkeypatch.setattr(pseudo_depth, 'depth_consistency_mask', spy)
    alone, _ = PseudoDepth(**source)(inputs)
    depth, _ = PseudoDepth(**source, neighbour_tolerance=0.15)(inputs)
    (transform,) = transforms
    assert transform[0, :3, 3].tolist() == [0, 0, 3.0]  # forward motion of the vehicle
    inside = depth[0, 0, 6:11, 21:29]
    assert (alone > 0).all() and (inside == 0).all()
    kept = depth > 0
    assert kept.float().mean() > 0.85
    assert torch.equal(depth[kept], alone[kept])


def test_scale_by_lidar_and_by_motion(street):
    inputs = inputs_of(street)
    lidar = torch.where(torch.rand(street.shape) < 0.1, street, 0.0)
    depth, _ = PseudoDepth(ReadsChannel(), 'lidar')(dict(inputs, gt_depth=lidar))
    torch.testing.assert_close(depth, street, rtol=1e-4, atol=0)

    before = replace(inputs['rig'], ego2global=torch.eye(4).double()[None].clone())
    before.ego2global[0, 0, 3] = -2.0  # the vehicle has moved 2 m
    model = ReadsChannel()
    model.motion = torch.eye(4)
    model.motion[2, 3] = -2.0 / FACTOR
    adjacent = [dict(imgs=inputs['imgs'], rig=before)]
    depth, scale = PseudoDepth(model, 'motion')(dict(inputs, adjacent=adjacent))
    torch.testing.assert_close(depth, street, rtol=1e-4, atol=0)
    assert scale.spread.abs() < 1e-6  # the motions have the same direction
    depth, _ = PseudoDepth(ReadsChannel(), 'none')(inputs)
    torch.testing.assert_close(depth * FACTOR, street)


def test_metric_depth_at_other_focal_lengths(street):
    """The model predicts for a focal length of 40 pixels at its image size."""
    inputs, model = inputs_of(street), ReadsChannel()
    model.canonical_focal = 40.0
    focal = float(inputs['rig'].cam2img[0, 0, 0, 0])
    depth, _ = PseudoDepth(model, 'none')(inputs)
    torch.testing.assert_close(depth * FACTOR, street * (focal / 40))
    big = nn.functional.interpolate(inputs['imgs'][0], scale_factor=2, mode='nearest')[None]
    mirrored = torch.tensor([[-2.0, 0, 127.5], [0, 2, 0.5], [0, 0, 1]]).double()
    rig = replace(inputs['rig'], img_aug=mirrored[None, None])
    depth, _ = PseudoDepth(model, 'none')(dict(imgs=big.flip(-1), rig=rig))
    ratio = depth * FACTOR / street.flip(-1)  # pixels off the median are blurred by resizing
    torch.testing.assert_close(ratio.median(), torch.tensor(focal / 40))


def test_models_get_the_intrinsics_of_both_images(street):
    """The principal point of the mirrored image is mirrored."""
    inputs, model = inputs_of(street), ReadsChannel()
    inputs['rig'].cam2img[..., 0, 2] = 20.0
    PseudoDepth(model)(inputs)
    plain, mirrored = model.cameras
    torch.testing.assert_close(plain, inputs['rig'].cam2img[0])
    expected = plain.clone()
    expected[:, 0, 2] = SIZE[1] - 1 - 20.0
    torch.testing.assert_close(mirrored, expected)


def test_metric_models_are_not_scaled(street):
    class Metric(ReadsChannel):
        def predict(self, frames, cameras):
            return super().predict(frames, cameras).scaled(FACTOR)

    depth, _ = PseudoDepth(Metric(), 'none')(inputs_of(street))
    torch.testing.assert_close(depth, street)


def test_scale_by_motion_at_other_focal_lengths(street):
    """Two cameras of a vehicle: for the longer focal length the model predicts smaller depth."""
    inputs = inputs_of(street)
    focal = float(inputs['rig'].cam2img[0, 0, 0, 0])
    model = ReadsChannel()
    model.canonical_focal = focal / 2
    model.motion = torch.eye(4)
    model.motion[2, 3] = -2.0 / FACTOR  # in the unit of the true depth, twice the canonical one
    inputs['imgs'] = inputs['imgs'] * 2
    before = replace(inputs['rig'], ego2global=torch.eye(4).double()[None].clone())
    before.ego2global[0, 0, 3] = -2.0
    adjacent = [dict(imgs=inputs['imgs'], rig=before)]
    depth, _ = PseudoDepth(model, 'motion')(dict(inputs, adjacent=adjacent))
    torch.testing.assert_close(depth, street, rtol=1e-4, atol=0)


def test_motion_in_mean_depths_is_rejected():
    model = ReadsChannel()
    model.pose_net = PoseCNN()
    with pytest.raises(ConfigError, match='PoseCNN'):
        PseudoDepth(model, 'motion')
    model.pose_net = None
    with pytest.raises(ConfigError, match="got none; use another scale.*'none'"):
        PseudoDepth(model, 'motion')


def test_missing_inputs_are_named(street):
    for scale, name in (('lidar', 'LoadLidarDepth'), ('motion', 'num_adj=1')):
        with pytest.raises(KeyError, match=name):
            PseudoDepth(ReadsChannel(), scale)(inputs_of(street))
    with pytest.raises(KeyError, match='neighbour_tolerance expected adjacent'):
        PseudoDepth(ReadsChannel(), neighbour_tolerance=0.1)(inputs_of(street))
    with pytest.raises(ConfigError, match="'radar'"):
        PseudoDepth(ReadsChannel(), 'radar')
