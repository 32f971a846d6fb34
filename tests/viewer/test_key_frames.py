"""Key frames of an info file, compared with those of the data set that trains detectors."""

import numpy as np
import pytest

pytest.importorskip('mmdet3d')
from mmdet3d.registry import DATASETS  # noqa: E402

from hybrid_depth.bev.transforms.lidar_depth import load_sweep  # noqa: E402
from hybrid_depth.datasets.nuscenes.names import InfoError  # noqa: E402
from hybrid_depth.info_files import read_infos  # noqa: E402
from hybrid_depth.viewer.key_frames import read_key_frames  # noqa: E402


@pytest.fixture
def content(toy_infos) -> dict:
    return read_infos(toy_infos / 'nuscenes_infos_val.pkl')


def test_they_are_those_of_the_data_set(content, toy_nuscenes, toy_infos):
    frames = read_key_frames(content, toy_nuscenes, 'x')
    infos = str(toy_infos / 'nuscenes_infos_val.pkl')
    dataset = DATASETS.build(
        dict(type='NuScenesBEVDataset', data_root=str(toy_nuscenes), ann_file=infos, test_mode=True)
    )
    assert len(frames) == len(dataset) == 2
    for index, frame in enumerate(frames):
        info = dataset.get_data_info(index)
        cameras = {camera.name: camera for camera in frame.cameras}
        assert frame.token == info['token']
        for place, name in enumerate(info['cam_names']):
            assert str(cameras[name].path) == info['img_path'][place]
            np.testing.assert_allclose(cameras[name].cam2img, info['cam2img'][place])
            np.testing.assert_allclose(cameras[name].cam2ego, info['cam2ego'][place], atol=1e-9)
        lidar = info['lidar_points']
        points = load_sweep(lidar['lidar_path'], lidar['num_pts_feats'])[:, :3]
        expected = points @ info['lidar2ego'][:3, :3].T + info['lidar2ego'][:3, 3]
        np.testing.assert_allclose(frame.points(), expected, atol=1e-4)


def test_they_are_sorted_by_time(content, toy_nuscenes):
    content['data_list'].reverse()
    times = [frame.timestamp for frame in read_key_frames(content, toy_nuscenes, 'x')]
    assert times == sorted(times)


def test_a_frame_without_sweep_has_no_points(content, toy_nuscenes, tmp_path):
    content['data_list'][0]['lidar_points'].pop('lidar_path')
    first, second = read_key_frames(content, tmp_path, 'x')
    assert first.points().shape == second.points().shape == (0, 3)  # the other has no file


@pytest.mark.parametrize('key', ['images', 'lidar_points', 'ego2global', 'token'])
def test_other_entries_are_refused(content, toy_nuscenes, key):
    content['data_list'][1][key] = 3
    if key == 'token':
        del content['data_list'][1][key]
    with pytest.raises(InfoError, match='infos.pkl, sample 1: expected the entries of an info'):
        read_key_frames(content, toy_nuscenes, 'infos.pkl')


def test_an_empty_file_is_refused(content, toy_nuscenes):
    with pytest.raises(InfoError, match='expected samples'):
        read_key_frames(dict(content, data_list=[]), toy_nuscenes, 'x')
