"""nuScenes' cameras as video, on a toy root with sweeps."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import DATASETS, MODELS
from nuscenes import NuScenes

from hybrid_depth.datasets.nuscenes.infos import CAMERAS
from hybrid_depth.datasets.nuscenes.video import NuScenesVideoDataset
from hybrid_depth.errors import DepthDataError
from hybrid_depth.toy_world import make_toy_world
from tests.depth.estimators.tiny import CONV


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp('video') / 'toy'
    return make_toy_world(out, scenes=2, keyframes=2, size=(64, 36), sweeps=2)


def make(root, **kwargs) -> NuScenesVideoDataset:
    return NuScenesVideoDataset(str(root), 'v1.0-mini', **kwargs)


def test_keyframes_and_sweeps_in_order_of_time(root):
    dataset = make(root, split='mini_train')
    # keyframe, two sweeps, keyframe: two of four have both neighbours
    assert len(dataset) == 2 * len(CAMERAS)
    sample = dataset[0]
    times = [int(sample['img_paths'][i].split('__')[-1][:-4]) for i in (-1, 0, 1)]
    steps = np.diff(times)
    assert (abs(steps - 500_000 / 3) < 2).all()
    assert 'sweeps/' in sample['img_paths'][0] and 'samples/' in sample['img_paths'][-1]
    names = {dataset[i]['meta']['name'] for i in range(len(dataset))}
    assert len(names) == len(dataset)


@pytest.mark.parametrize(('missing', 'pairs'), [((1,), 1), ((0,), 2), ((3,), 2), ((1, 2), 1)])
def test_neighbours_end_where_images_are_missing(root, tmp_path, missing, pairs):
    """The sides of a dropped frame were neighbours; a root without sweeps still has its keyframes.

    Of keyframe, two sweeps, keyframe.
    """
    own = tmp_path / 'toy'
    shutil.copytree(root, own)
    paths = make(root, split='mini_train', missing_neighbours='repeat')
    clip = [s['img_paths'][0] for s in paths if s['meta']['folder'].endswith('CAM_FRONT')]
    for place in missing:
        (own / Path(clip[place]).relative_to(root)).unlink()
    dataset = make(own, split='mini_train', cameras=['CAM_FRONT'], frame_ids=(0, 1))
    assert len(clip) == 4 and len(dataset) == pairs


def test_intrinsics_per_camera(root):
    lenses = {}
    dataset = make(root)
    for i in range(len(dataset)):
        sample = dataset[i]
        lenses[sample['meta']['folder'].split('/')[1]] = sample['cam2img'][0, 0]
    assert lenses['CAM_BACK'] < 0.8 * lenses['CAM_FRONT']


def test_keyframes_as_targets(root):
    dataset = make(root, targets='keyframes', missing_neighbours='repeat')
    assert len(dataset) == 2 * 2 * len(CAMERAS)
    assert all('samples/' in dataset[i]['img_paths'][0] for i in range(len(dataset)))
    far = make(root, cameras=['CAM_FRONT'], frame_step=3, frame_ids=(0, 1))
    assert len(far) == 2 and 'samples/' in far[0]['img_paths'][1]


def test_ego_motion_transforms_points_between_frames(root):
    dataset = make(root, split='mini_train', ego_motion=True)
    nusc = NuScenes('v1.0-mini', str(root), verbose=False)
    places = {
        Path(image['filename']).name: nusc.get('ego_pose', image['ego_pose_token'])
        for image in nusc.sample_data
    }
    by_frame = {(s['meta']['folder'], s['meta']['frame']): s for s in dataset}
    for (folder, frame), sample in by_frame.items():
        if (folder, frame + 1) in by_frame:
            there_and_back = by_frame[folder, frame + 1]['transforms'][-1] @ sample['transforms'][1]
            np.testing.assert_allclose(there_and_back, np.eye(4), atol=1e-6)
        paths = [sample['img_paths'][i] for i in (0, 1)]
        start, end = (places[Path(path).name]['translation'] for path in paths)
        driven = np.linalg.norm(np.subtract(end, start))
        assert driven > 0.3
        # static points approach in front and recede behind
        if folder.endswith('CAM_FRONT'):
            assert sample['transforms'][1][2, 3] == pytest.approx(-driven, rel=0.1)
        if folder.endswith('CAM_BACK'):
            assert sample['transforms'][1][2, 3] == pytest.approx(driven, rel=0.1)


def test_substituted_neighbours_have_no_motion(root):
    dataset = make(root, ego_motion=True, missing_neighbours='repeat', frame_ids=(0, -1, 1))
    first = dataset[0]
    assert np.array_equal(first['transforms'][-1], np.eye(4))
    assert not np.array_equal(first['transforms'][1], np.eye(4))


def test_a_root_without_sweeps_gives_keyframes(root, tmp_path):
    copy = tmp_path / 'copy'
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns('sweeps'))
    dataset = make(copy, frame_ids=(0, 1))
    assert len(dataset) == 2 * len(CAMERAS)
    assert 'samples/' in dataset[0]['img_paths'][1]


def test_pipeline_of_depth_models(root):
    steps = [dict(type='LoadFrames'), dict(type='ResizeFrames', size=(128, 64))]
    cfg = dict(type='NuScenesVideoDataset', data_root=str(root), version='v1.0-mini')
    pack = dict(type='PackFrames')
    packed = DATASETS.build(dict(cfg, pipeline=[*steps, pack], ego_motion=True))[0]
    assert packed['inputs']['transforms'][-1].shape == (4, 4)
    assert packed['inputs']['images'][-1].shape == (3, 64, 128)
    assert packed['inputs']['cam2img'].shape == (3, 3)


def test_a_depth_model_trains_with_ego_motion(root):
    steps = [dict(type='LoadFrames'), dict(type='FlipFrames', prob=1.0)]
    steps += [dict(type='ResizeFrames', size=(96, 64)), dict(type='PackFrames')]
    dataset = make(root, ego_motion=True, pipeline=steps)
    model = MODELS.build(dict(CONV, pose_net=None)).train()
    inputs = model.data_preprocessor(default_collate([dataset[0], dataset[1]]))['inputs']
    assert inputs['transforms'][1].shape == (2, 4, 4)
    losses = model.loss(inputs)
    assert torch.isfinite(losses['loss_photometric'])
    with pytest.raises(ValueError, match=r'got both.*set pose_net=None'):
        MODELS.build(CONV).loss(inputs)


def test_bad_input(root, tmp_path):
    with pytest.raises(FileNotFoundError, match='v1.0-mini'):
        make(tmp_path)
    with pytest.raises(DepthDataError, match="'valid'"):
        make(root, split='valid')
    with pytest.raises(DepthDataError, match='stereo'):
        make(root, frame_ids=(0, 's'))
    with pytest.raises(DepthDataError, match='keyframes'):
        make(root, targets='sweeps')
