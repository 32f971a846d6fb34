"""Camera rigs: projection step by step, and equality of geometry."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hybrid_depth.geometry import CameraRig


def pose(seed: int) -> torch.Tensor:
    """(4, 4) float64, any rotation and translation."""
    matrix = torch.eye(4, dtype=torch.float64)
    matrix[:3, :3] = torch.from_numpy(Rotation.random(random_state=seed).as_matrix())
    matrix[:3, 3] = torch.from_numpy(np.random.default_rng(seed).normal(size=3))
    return matrix


def rig() -> CameraRig:
    """Two samples of three cameras; all matrices differ."""
    cams = torch.stack([pose(seed) for seed in range(6)]).view(2, 3, 4, 4)
    cam2img = torch.tensor([[50.0, 0, 30], [0, 60, 20], [0, 0, 1]]).double().repeat(2, 3, 1, 1)
    img_aug = torch.tensor([[0.5, 0.1, 3], [-0.1, 0.5, 7], [0, 0, 1]]).double().repeat(2, 3, 1, 1)
    img_aug[0, 1] = torch.eye(3)
    bda = torch.stack([pose(7), pose(8)]) * torch.tensor([[[1.1]], [[1.0]]])
    bda[:, 3] = torch.tensor([0.0, 0, 0, 1])
    return CameraRig(cam2img, cams, img_aug, bda, torch.stack([pose(9), pose(10)]))


def test_projection_applies_bda_calibration_and_image_augmentation():
    cameras = rig()
    found = cameras.ego2img()
    for b, n in np.ndindex(2, 3):
        camera_point = np.array([0.7, -0.4, 9.0, 1])
        augmented = cameras.bda[b].numpy() @ cameras.cam2ego[b, n].numpy() @ camera_point
        u, v = 50 * 0.7 / 9 + 30, 60 * -0.4 / 9 + 20
        u, v, _ = cameras.img_aug[b, n].numpy() @ [u, v, 1]
        np.testing.assert_allclose(found[b, n].numpy() @ augmented, [9 * u, 9 * v, 9])


@pytest.mark.parametrize(
    ('name', 'alike'),
    [
        ('cam2img', False),
        ('cam2ego', False),
        ('img_aug', False),
        ('bda', False),
        ('ego2global', True),  # ego pose is ignored
    ],
)
def test_same_geometry(name, alike):
    cameras = rig()
    changed = getattr(cameras, name).clone()
    changed[1, ..., 0, 2] += 1e-9
    other = replace(cameras, **{name: changed})
    assert cameras.same_geometry(other) == alike
    assert cameras.sample(0).same_geometry(other.sample(0))
    assert (cameras.geometry_key() == other.geometry_key()) == alike


def test_samples_are_split_and_collated():
    cameras = rig()
    parts = [{k: v[0] for k, v in vars(cameras.sample(i)).items()} for i in range(2)]
    together = CameraRig.collate(parts)
    assert (together.batch_size, together.num_cams) == (2, 3)
    assert all(torch.equal(vars(together)[k], v) for k, v in vars(cameras).items())
    assert cameras.to(torch.float32).bda.dtype == torch.float32
