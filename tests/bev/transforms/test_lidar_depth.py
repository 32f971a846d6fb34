"""LiDAR depth maps: official values, nearest point, damaged files."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from nuscenes import NuScenes
from nuscenes.utils.data_classes import LidarPointCloud
from PIL import Image

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.depth_nets.supervision import block_minimum_depth
from hybrid_depth.bev.transforms.lidar_depth import LoadLidarDepth, load_sweep
from hybrid_depth.datasets.nuscenes.infos import _lidar_sweeps, create_nuscenes_infos
from hybrid_depth.errors import DepthDataError
from hybrid_depth.geometry import DepthBins
from tests.datasets.fake_nuscenes import write_fake_nuscenes
from tests.datasets.roots import keyframe_dataset
from tests.golden.reader import Golden

IDA, DEPTH, FB_DEPTH = Golden('bevdet_ida'), Golden('bevdet_depth'), Golden('fb_bev_depth')
SIZE = (256, 704)
# About 130 of 20,000 points of a sweep are in another pixel in float32 than in float64. Few of them
# collide with another point or leave the image, which changes the number of pixels or a depth; one
# in 16 is in another cell of the depth target, if it is its nearest point.
CHANGED_PIXELS, CHANGED_BINS = 4, 10  # of a camera; of all


@pytest.fixture(scope='module')
def keyframe(real_data, tmp_path_factory):
    return keyframe_dataset(real_data, tmp_path_factory.mktemp('depth'))


def view_info(keyframe, view: str) -> dict:
    """The sample under the stored augmentation."""
    info = keyframe.get_data_info(0)
    info['img'] = [Image.new('RGB', SIZE[::-1])] * 6
    info['img_aug'][:, :2, :2] = IDA[f'{view}.post_rot'][:, :2, :2]
    info['img_aug'][:, :2, 2] = IDA[f'{view}.post_tran'][:, :2]
    return info


def view_depth(keyframe, view: str, transform: LoadLidarDepth) -> torch.Tensor:
    """Depth map of the real sweep."""
    return torch.from_numpy(transform(view_info(keyframe, view))['gt_depth'])


def points_in_view(info: dict) -> np.ndarray:
    """(6,) points of the sweep in each network image, from 1 to 60 m: another computation."""
    points = load_sweep(info['lidar_path'], 5)[:, :3].astype(float)
    points = np.c_[points, np.ones(len(points))].T
    counts = []
    for cam2ego, cam2img, img_aug in zip(
        info['cam2ego'], info['cam2img'], info['img_aug'], strict=True
    ):
        u, v, depth = cam2img @ (np.linalg.inv(cam2ego) @ info['lidar2ego'] @ points)[:3]
        u, v, _ = img_aug @ np.stack((u / depth, v / depth, np.ones_like(u)))
        inside = (u > -0.5) & (u < SIZE[1] - 0.5) & (v > -0.5) & (v < SIZE[0] - 0.5)
        counts.append((inside & (depth >= 1) & (depth < 60)).sum())
    return np.array(counts)


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_real_sweep_equals_the_official_map(keyframe, view):
    depth = view_depth(keyframe, view, LoadLidarDepth())
    camera, pixel = DEPTH[f'{view}.index'].long()
    expected = torch.zeros(6, SIZE[0] * SIZE[1])
    expected[camera, pixel] = DEPTH[f'{view}.value'].float()
    expected = expected.view_as(depth)
    DEPTH.check(f'{view}.count', (expected > 0).sum((1, 2)), 0)
    only_one = ((depth > 0) != (expected > 0)).sum()
    apart = ((depth - expected).abs()[(depth > 0) & (expected > 0)] > 0.01).sum()
    # Float64 moves about 130 points by a pixel; the golden file has counts of such a projection.
    allowed = DEPTH[f'{view}.pixels_not_in_exact']
    assert only_one <= allowed[0] and apart <= allowed[1]
    DEPTH.check(f'{view}.exact_count', (depth > 0).sum((1, 2)), 0)
    seen = points_in_view(view_info(keyframe, view))
    DEPTH.check(f'{view}.points_in_view', seen, CHANGED_PIXELS, scale=1)


@pytest.mark.parametrize(('name', 'step'), [('D59', 1.0), ('D118', 0.5)])
@pytest.mark.parametrize('view', ['test', 'aug'])
def test_target_bins_equal_the_official_ones(keyframe, view, name, step):
    nearest = block_minimum_depth(view_depth(keyframe, view, LoadLidarDepth()), (16, 44))
    bins = torch.where(nearest > 0, ((nearest - 1.0) / step).floor(), torch.tensor(-1.0))
    changed = (bins != DEPTH[f'{view}.bins.{name}']).sum()
    assert changed <= DEPTH[f'{view}.bins_changed_by_exact.{name}']


@pytest.mark.parametrize('view', ['test', 'aug'])
def test_real_sweep_equals_the_map_of_fb_occ(keyframe, view):
    """Counts and sums of its float32 maps, which have yet another order of operations."""
    depth = view_depth(keyframe, view, LoadLidarDepth(depth_range=(2.0, 42.0)))
    FB_DEPTH.check(f'{view}.gt_count', (depth > 0).sum((1, 2)), CHANGED_PIXELS, scale=1)
    total = depth.sum((1, 2), dtype=torch.float64)
    FB_DEPTH.check(f'{view}.gt_sum', total, 1, scale=1e-5 * total + 42 * CHANGED_PIXELS)
    index = DepthBins(2.0, 42.0, step=0.5).index(block_minimum_depth(depth, (16, 44)))
    assert (index != FB_DEPTH[f'{view}.bins']).sum() <= CHANGED_BINS


def test_damaged_sweep_names_the_file(tmp_path):
    path = tmp_path / 'cut.pcd.bin'
    np.zeros(11, dtype=np.float32).tofile(path)
    with pytest.raises(DepthDataError, match='cut.pcd.bin.*multiple of 5'):
        load_sweep(str(path), 5)
    np.full(10, np.nan, dtype=np.float32).tofile(path)
    with pytest.raises(DepthDataError, match='cut.pcd.bin.*finite'):
        load_sweep(str(path), 5)
    path.write_bytes(b'')
    with pytest.raises(DepthDataError, match='cut.pcd.bin'):
        load_sweep(str(path), 5)
    with pytest.raises(FileNotFoundError, match='absent'):
        load_sweep(str(tmp_path / 'absent.bin'), 5)


def test_non_finite_points_are_dropped(tmp_path):
    points = np.ones((3, 5), dtype=np.float32)
    points[1, 0] = np.inf
    points.tofile(tmp_path / 'p.bin')
    assert len(load_sweep(str(tmp_path / 'p.bin'), 5)) == 2


def test_testing_without_lidar():
    """All samples have a map, so that batches can mix samples with and without sweeps."""
    images = [Image.new('RGB', (8, 4))] * 6
    sample = dict(lidar_path='nowhere.pcd.bin', img=images)
    for found in (sample, dict(img=images)):
        depth = LoadLidarDepth(required=False)(dict(found))['gt_depth']
        assert depth.shape == (6, 4, 8) and depth.dtype == np.float32 and not depth.any()
    with pytest.raises(FileNotFoundError, match='nowhere'):
        LoadLidarDepth()(dict(sample, num_pts_feats=5))


def test_earlier_sweeps_are_transformed_as_by_the_devkit(tmp_path):
    """Third key frame of a fake scene, whose earlier key frames serve as sweeps."""
    root = write_fake_nuscenes(tmp_path / 'fake')
    table = root / 'v1.0-mini/sample_data.json'
    records = json.loads(table.read_text())
    for record in records:
        scene, number, channel = re.match(r'(.+)-(\d)-(\w+)$', record['token']).groups()
        if channel == 'LIDAR_TOP' and number != '0':
            record['prev'] = f'{scene}-{int(number) - 1}-{channel}'
    table.write_text(json.dumps(records))
    create_nuscenes_infos(root, 'v1.0-mini', lidar_sweeps=5)
    dataset = NuScenesBEVDataset(
        data_root=str(root),
        ann_file='nuscenes_infos_train.pkl',
        metainfo=dict(version='v1.0-mini'),
    )
    info = dataset.get_data_info(2)
    assert [len(dataset.get_data_info(i)['lidar_sweeps']) for i in range(3)] == [0, 1, 2]

    nusc = NuScenes('v1.0-mini', str(root), verbose=False)
    sample = nusc.get('sample', info['token'])
    for sweeps, expected_sweeps in ((0, 0), (1, 1), (5, 2)):
        found = LoadLidarDepth(sweeps=sweeps)._points(info)
        cloud, _ = LidarPointCloud.from_file_multisweep(
            nusc, sample, 'LIDAR_TOP', 'LIDAR_TOP', expected_sweeps + 1
        )
        # the devkit also removes ego-vehicle points from the key frame's sweep
        on_ego = np.abs(found[:200, :2]).max(1) < 1
        assert 0 < on_ego.sum() < 20
        found = np.concatenate((found[:200][~on_ego], found[200:]))
        np.testing.assert_allclose(found, cloud.points[:3].T, atol=1e-3)  # float32 there

    Path(info['lidar_sweeps'][1]['lidar_points']['lidar_path']).unlink()
    sweeps = _lidar_sweeps(nusc, nusc.get('sample_data', sample['data']['LIDAR_TOP']), np.eye(4), 5)
    assert len(sweeps) == 1  # sweeps that are not on disk are skipped
