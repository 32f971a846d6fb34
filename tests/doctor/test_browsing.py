"""Drawn samples: boxes stay on their objects under augmentation, LiDAR depth on its rays."""

import numpy as np
import pytest
import torch

pytest.importorskip('mmdet3d')
from mmengine.config import Config  # noqa: E402

from hybrid_depth.doctor import browsing  # noqa: E402
from hybrid_depth.doctor.browsing import browse, draw_sample  # noqa: E402
from hybrid_depth.engine.config import read_config  # noqa: E402
from hybrid_depth.errors import ConfigError  # noqa: E402
from hybrid_depth.geometry import CameraRig  # noqa: E402


@pytest.fixture
def detector(toy_infos, toy_nuscenes) -> Config:
    cfg = read_config('toy/bevdet_hybrid_toy.py')
    cfg.train_dataloader.dataset = dataset = cfg.train_dataloader.dataset.dataset  # not cached
    dataset.update(
        data_root=str(toy_nuscenes), ann_file=str(toy_infos / 'nuscenes_infos_train.pkl')
    )
    dataset.pipeline.insert(-1, dict(type='BEVAugmentation'))
    return cfg


def test_a_detector_s_samples(detector, tmp_path, monkeypatch):
    seen = []
    draw = browsing.draw_sample
    monkeypatch.setattr(
        browsing,
        'draw_sample',
        lambda packed, classes: seen.append(packed) or draw(packed, classes),
    )
    files = list(browse(detector, 'train_dataloader', tmp_path, number=1, repeat=2))
    assert [file.name[:9] for file in files] == ['000000_0_', '000000_1_']
    assert all(file.is_file() for file in files)
    first, second = (packed['inputs']['rig']['bda'] for packed in seen)
    assert not torch.equal(first, second)  # drawn with other random numbers


def test_lidar_points_are_where_their_depth_is(detector):
    points = np.array([[8.0, 2.0, -1.0], [20.0, -5.0, 0.5]])
    rig = CameraRig(
        cam2img=torch.tensor([[[[30.0, 0, 16], [0, 30, 8], [0, 0, 1]]]], dtype=torch.float64),
        cam2ego=torch.tensor(
            [[[[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]]], dtype=torch.float64
        ),
        img_aug=torch.tensor([[[[-1.0, 0, 40], [0, 1, 9], [0, 0, 1]]]], dtype=torch.float64),
        bda=torch.diag(torch.tensor([1.1, -1.1, 1.1, 1], dtype=torch.float64))[None],
        ego2global=torch.eye(4, dtype=torch.float64)[None],
    )
    projection = rig.ego2img()[0, 0].numpy()
    u, v, depth = projection @ [*points[0], 1]
    maps = np.zeros((1, 40, 60))
    row, column = round(v / depth), round(u / depth)
    maps[0, row, column] = depth
    [found] = browsing._points(maps, projection[None])
    again = projection @ [*found, 1]
    np.testing.assert_allclose(again, [column * depth, row * depth, depth])


def test_a_depth_model_s_samples():
    image = torch.full((3, 8, 10), 200, dtype=torch.uint8)
    depth = torch.zeros(1, 8, 10)
    depth[0, 2, 3] = 5
    inputs = dict(
        images={0: image, -1: image}, augmented={0: image // 2, -1: image}, gt_depth=depth
    )
    sheet = draw_sample(dict(inputs=inputs))
    assert sheet.shape == (3 * 8 + 2 * 6, 2 * 10 + 6, 3)
    assert (sheet[:8, :10] == 200).all() and (sheet[14:22, :10] == 100).all()
    colors = sheet[28:, :10]
    assert len(np.unique(colors[1:4, 2:5].reshape(-1, 3), axis=0)) == 1  # one dot of 3 x 3
    assert (colors[2, 3] != colors[5, 7]).any()


def test_other_pipelines_are_refused(detector):
    with pytest.raises(ConfigError, match='PackBEVInputs or PackFrames'):
        draw_sample(dict(inputs=dict(points=1)))
    with pytest.raises(ConfigError, match='expected a x_dataloader'):
        next(browse(detector, 'x_dataloader', 'out', 1))
