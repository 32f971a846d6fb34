"""Info files in which a later sample is other than the first, and batches of one image."""

import pickle

import numpy as np
import pytest
import torch

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.depth_nets.camera_aware import CameraAwareDepthNet
from hybrid_depth.errors import ConfigError
from hybrid_depth.geometry import CameraRig, DepthBins
from tests.borders.refusal import refused
from tests.datasets.roots import fake_root

TRAIN = 'nuscenes_infos_train.pkl'


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return fake_root(tmp_path_factory.mktemp('samples'))


def read(root, tmp_path, edit, **kwargs):
    content = pickle.loads((root / TRAIN).read_bytes())
    edit(content)
    path = tmp_path / 'edited.pkl'
    path.write_bytes(pickle.dumps(content))
    dataset = NuScenesBEVDataset(str(root), str(path), **kwargs)
    dataset.full_init()
    return dataset


def later(*keys, value=None):
    """Edit that removes a key of the fifth sample, or gives it another value."""

    def edit(content):
        node = content['data_list'][4]
        for key in keys[:-1]:
            node = node[key]
        if value is None:
            del node[keys[-1]]
        else:
            node[keys[-1]] = value

    return edit


LATER = {
    'camera': (later('images', 'CAM_BACK'), 'CAM_BACK'),
    'all cameras': (later('images'), 'images'),
    'pose': (later('ego2global'), 'ego2global'),
    'LiDAR': (later('lidar_points'), 'lidar_points'),
    'intrinsics': (later('images', 'CAM_FRONT', 'cam2img'), 'CAM_FRONT.cam2img'),
    'mounting': (later('images', 'CAM_FRONT', 'lidar2cam'), 'CAM_FRONT.lidar2cam'),
    'path': (later('images', 'CAM_FRONT', 'img_path'), 'CAM_FRONT.img_path'),
    'box': (later('instances', 0, 'bbox_3d'), 'bbox_3d'),
    'label': (later('instances', 0, 'bbox_label_3d'), 'bbox_label_3d'),
    'label 99': (later('instances', 0, 'bbox_label_3d', value=99), '99'),
    'label -2': (later('instances', 1, 'bbox_label_3d', value=-2), '-2'),
    'label of text': (later('instances', 1, 'bbox_label_3d', value='car'), "'car'"),
    'label NaN': (later('instances', 1, 'bbox_label_3d', value=float('nan')), 'nan'),
    'label of a list': (later('instances', 1, 'bbox_label_3d', value=[0]), '[0]'),
}


@pytest.mark.parametrize('case', LATER)
def test_missing_in_a_later_sample(root, tmp_path, case):
    edit, word = LATER[case]
    with refused('edited.pkl', 'scene-0553-1', word):
        read(root, tmp_path, edit)


def test_a_later_sample_without_a_token(root, tmp_path):
    with refused('edited.pkl', 'without a token', 'token'):
        read(root, tmp_path, later('token'))


@pytest.mark.parametrize('key', ['categories', 'classes'])
def test_missing_in_metainfo(root, tmp_path, key):
    def edit(content):
        content['metainfo'] = {} if key == 'categories' else dict(categories=['car'])

    with refused('edited.pkl', 'categories'):
        read(root, tmp_path, edit)


@pytest.mark.parametrize(
    'key', ['velocity', 'bbox_3d_isvalid', 'num_lidar_pts', 'num_radar_pts', 'own']
)
@pytest.mark.parametrize('where', ['one', 'all'])
def test_what_other_data_may_lack(root, tmp_path, key, where):
    def edit(content):
        items = [item for info in content['data_list'] for item in info['instances']]
        for item in items[:1] if where == 'one' else items:
            item.pop(key, None)

    labels = read(root, tmp_path, edit).get_data_info(0)['ann_info']['gt_labels_3d'].tolist()
    assert labels == ([0, 8, -1] if (key, where) == ('bbox_3d_isvalid', 'all') else [0, 8])


def test_a_set_without_points_is_refused_at_once(root, tmp_path):
    """It ended after a thousand samples in "Cannot find valid image"."""

    def no_points(content):
        for info in content['data_list']:
            for item in info['instances']:
                item.update(num_lidar_pts=0, num_radar_pts=0, bbox_3d_isvalid=False)

    with refused('edited.pkl', 'among 18', 'bbox_3d_isvalid'):
        read(root, tmp_path, no_points)
    assert len(read(root, tmp_path, no_points, test_mode=True)) == 6
    assert len(read(root, tmp_path, no_points, filter_empty_gt=False)) == 6


def test_a_set_without_boxes_is_refused_at_once(root, tmp_path):
    def no_boxes(content):
        for info in content['data_list']:
            info.pop('instances')

    with refused('edited.pkl', 'expected boxes'):
        read(root, tmp_path, no_boxes)
    assert len(read(root, tmp_path, no_boxes, test_mode=True)) == 6
    with refused('edited.pkl', 'expected boxes of bus'):
        read(root, tmp_path, lambda content: None, metainfo=dict(classes=('bus',)))


def net_and_rig(cameras: int, batch: int = 1):
    net = CameraAwareDepthNet(8, 4, DepthBins(1.0, 5.0, step=1.0), mid_channels=8)
    unit = torch.eye(4).repeat(batch, cameras, 1, 1)
    rig = CameraRig(unit[..., :3, :3], unit, unit[..., :3, :3], unit[:, 0], unit[:, 0])
    feats = torch.rand(batch * cameras, 8, 4, 6)
    return net, feats, rig


def test_one_camera_at_batch_1():
    net, feats, rig = net_and_rig(1)
    with pytest.raises(ConfigError, match='batch_size=2'):
        net.train()(feats, None, rig)
    assert net.eval()(feats, None, rig).logits.shape[0] == 1
    for cameras, batch in ((1, 2), (2, 1)):
        net, feats, rig = net_and_rig(cameras, batch)
        assert np.isfinite(net.train()(feats, None, rig).logits.detach().numpy()).all()
