from types import SimpleNamespace

import numpy as np
import pytest
import torch

pytest.importorskip('mmdet3d')
from mmdet3d.structures import LiDARInstance3DBoxes  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402

from hybrid_depth.inference.bev_tracks import SceneTracks  # noqa: E402


def pose(x: float, yaw: float) -> np.ndarray:
    matrix = np.eye(4)
    cos, sin = np.cos(yaw), np.sin(yaw)
    matrix[:3, :3], matrix[0, 3] = [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], x
    return matrix


LIDAR2EGO = pose(1.0, np.pi / 2)


def sample(time: float, ego2global: np.ndarray, world: list, scene='s'):
    """Key frame with boxes at global (x, y, vx, vy, score)."""
    world2lidar = np.linalg.inv(ego2global @ LIDAR2EGO)
    rows = []
    for x, y, vx, vy, _ in world:
        centre = world2lidar @ (x, y, 0.5, 1)
        velocity = world2lidar[:3, :3] @ (vx, vy, 0)
        rows.append([*centre[:3], 4, 2, 1, 0, *velocity[:2]])
    found = InstanceData(
        bboxes_3d=LiDARInstance3DBoxes(torch.tensor(rows).reshape(-1, 9).float(), box_dim=9),
        scores_3d=torch.tensor([row[4] for row in world]),
        labels_3d=torch.zeros(len(world), dtype=torch.long),
    )
    meta = dict(timestamp=time, scene_token=scene, lidar2ego=LIDAR2EGO)
    return SimpleNamespace(metainfo=meta, pred_instances_3d=found)


def test_a_moving_vehicle_sees_fixed_trails():
    """The ego vehicle drives and turns; an object drives along y in the global frame."""
    tracks = SceneTracks(score_thr=0.3)
    for step in range(4):
        ego2global = pose(5.0 * step, 0.3 * step)
        objects = [(20, 4.0 * step, 0, 8, 0.2), (20, 6 + 4.0 * step, 0, 8, 0.9)]
        numbers, trails = tracks.update(sample(0.5 * step, ego2global, objects), ego2global)
        assert numbers == {1: 1}  # the second box; the first is below the score
    (trail,) = trails
    assert (trail.number, trail.label) == (1, 0)
    there = trail.positions @ ego2global[:3, :3].T + ego2global[:3, 3]
    expected = [(20, 6 + 4 * step, 1.0) for step in range(4)]  # gravity centres
    np.testing.assert_allclose(there, expected, atol=1e-4)


def test_scenes_have_own_tracks():
    tracks = SceneTracks(score_thr=0.3)
    for scene in ('a', 'b', 'a'):
        numbers, trails = tracks.update(
            sample(0.0, np.eye(4), [(5, 0, 0, 0, 0.9)], scene), np.eye(4)
        )
        assert numbers == {0: 1}
    assert len(trails[0].positions) == 2
    assert tracks.update(sample(0.0, np.eye(4), [], 'c'), np.eye(4)) == ({}, [])
