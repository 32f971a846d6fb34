"""Errors of the teacher in the study of depth supervision."""

import json

import pytest
from mmengine.registry import DefaultScope

from benchmarks.bev_depth import FINAL_SIZE, teacher_error
from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.datasets.depth_map_files import pseudo_depth_path, write_depth_png
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos


def test_error_of_cached_depth(toy_nuscenes, tmp_path):
    """LiDAR depth times 1.1, and unknown in one of six cameras."""
    infos = tmp_path / 'nuscenes_infos_train.pkl'
    create_nuscenes_infos(toy_nuscenes, 'v1.0-mini', tmp_path)
    (tmp_path / 'samples').symlink_to(toy_nuscenes / 'samples')
    pipeline = [
        dict(type='LoadMultiViewImages'),
        dict(type='ImageAugmentation', final_size=FINAL_SIZE, random=False),
        dict(type='LoadLidarDepth', depth_range=(1.0, 80.0)),
    ]
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        dataset = NuScenesBEVDataset(str(tmp_path), str(infos), pipeline=pipeline, test_mode=True)
    all_points = known_points = 0
    for sample in map(dataset.__getitem__, range(len(dataset))):
        pairs = zip(sample['cam_names'], sample['img_path'], strict=True)
        for index, (camera, image) in enumerate(pairs):
            depth = sample['gt_depth'][index]
            points = ((depth > 0) & (depth < 56)).sum()
            all_points += points
            known_points += points * (camera != 'CAM_BACK')
            placed = dict(img_aug=json.dumps(sample['img_aug'][index].tolist()))
            cached = depth * (1.1 if camera != 'CAM_BACK' else 0)
            write_depth_png(cached, pseudo_depth_path(tmp_path / 'cache', camera, image), placed)
    report = teacher_error(infos, str(tmp_path / 'cache'))
    assert report['abs_rel'] == pytest.approx(0.1, abs=1e-3)
    assert report['known'] == pytest.approx(known_points / all_points)
    assert 0 < known_points < all_points
