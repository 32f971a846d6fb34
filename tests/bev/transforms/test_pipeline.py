"""Complete training pipeline: image loading, ego boxes, packing, consistent geometry."""

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.detectors.data_preprocessor import BEVDataPreprocessor
from hybrid_depth.bev.transforms.load_images import LoadMultiViewImages
from hybrid_depth.errors import DepthDataError
from tests.conftest import ROOT
from tests.datasets.roots import fake_root, keyframe_dataset

META = {'cam_names', 'img_path', 'lidar2ego', 'sample_idx', 'scene_token', 'token'}


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        yield


def pipelines(name: str) -> Config:
    return Config.fromfile(ROOT / 'configs/_base_/datasets' / f'{name}.py')


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return fake_root(tmp_path_factory.mktemp('pipeline'))


@pytest.mark.parametrize('name', ['nuscenes_bev', 'toy_bev'])
def test_training_pipeline(root, name):
    cfg = pipelines(name)
    dataset = NuScenesBEVDataset(
        data_root=str(root), ann_file='nuscenes_infos_train.pkl', pipeline=cfg.train_pipeline
    )
    sample = dataset[0]
    inputs, data = sample['inputs'], sample['data_samples']
    height, width = cfg.final_size
    assert inputs['img'].shape == (6, 3, height, width)
    assert inputs['img'].dtype == torch.uint8  # a quarter of the traffic
    # a training step of the toy detector is a sixth slower otherwise
    assert inputs['img'].is_contiguous(memory_format=torch.channels_last)
    assert inputs['img'].max() > 127
    batch = BEVDataPreprocessor()(pseudo_collate([sample, sample]))['inputs']['imgs']
    assert torch.equal(batch[1], inputs['img'] / 255) and batch.dtype == torch.float32
    assert batch[0].is_contiguous(memory_format=torch.channels_last)
    assert inputs['gt_depth'].shape == (6, height, width)
    shapes = {key: tuple(value.shape) for key, value in inputs['rig'].items()}
    assert shapes == dict(
        cam2img=(6, 3, 3), cam2ego=(6, 4, 4), img_aug=(6, 3, 3), bda=(4, 4), ego2global=(4, 4)
    )
    assert all(value.dtype == torch.float64 for value in inputs['rig'].values())
    assert sorted(data.gt_instances_3d.labels_3d.tolist()) == [0, 8]
    assert data.eval_ann_info is None
    assert META <= set(data.metainfo)


def test_frames_before_are_augmented_in_the_same_bev_way(root):
    dataset = NuScenesBEVDataset(
        data_root=str(root),
        ann_file='nuscenes_infos_train.pkl',
        pipeline=pipelines('nuscenes_bev').train_pipeline,
        num_adj=1,
    )
    inputs = dataset[1]['inputs']
    (before,) = inputs['adjacent']
    assert torch.equal(before['rig']['bda'], inputs['rig']['bda'])
    assert not torch.equal(before['rig']['bda'], torch.eye(4).double())
    assert before['img'].shape == inputs['img'].shape


def test_test_pipeline_is_deterministic_and_keeps_the_truth(root):
    dataset = NuScenesBEVDataset(
        data_root=str(root),
        ann_file='nuscenes_infos_val.pkl',
        pipeline=pipelines('nuscenes_bev').test_pipeline,
        test_mode=True,
    )
    first, second = dataset[1], dataset[1]
    assert torch.equal(first['inputs']['img'], second['inputs']['img'])
    assert torch.equal(first['inputs']['rig']['bda'], torch.eye(4, dtype=torch.float64))
    assert len(first['data_samples'].eval_ann_info['gt_bboxes_3d']) == 2
    assert 'gt_instances_3d' not in first['data_samples']


def test_boxes_cameras_and_depth_are_consistent_after_augmentation(real_data, tmp_path):
    """LiDAR depth around the projected centre of an augmented vehicle is about its distance."""
    info = keyframe_dataset(real_data, tmp_path).get_data_info(0)
    sample = Compose(pipelines('nuscenes_bev').train_pipeline)(info)
    boxes = sample['data_samples'].gt_instances_3d.bboxes_3d
    inputs, rig = sample['inputs'], sample['inputs']['rig']
    ego2img = rig['img_aug'] @ rig['cam2img'] @ torch.linalg.inv(rig['bda'] @ rig['cam2ego'])[:, :3]
    cars = boxes[boxes.dims[:, 0] > 3.5]
    centre = torch.cat((cars.gravity_center.double(), torch.ones(len(cars), 1)), 1)
    u, v, z = (ego2img @ centre.T).unbind(1)
    checked = 0
    for camera, car in torch.nonzero(z > 3).tolist():
        d = z[camera, car].item()
        x, y = int(u[camera, car] / d), int(v[camera, car] / d)
        if 4 <= x < 700 and 4 <= y < 252:
            window = inputs['gt_depth'][camera, y - 4 : y + 5, x - 4 : x + 5]
            seen = window[window > 0]
            checked += bool(len(seen)) and bool(((seen > d - 3.5) & (seen < d + 1)).any())
    assert checked >= 3


def test_damaged_image_names_the_file(root, tmp_path):
    path = tmp_path / 'cut.jpg'
    whole = next(root.glob('samples/CAM_FRONT/*.jpg')).read_bytes()
    for content in (whole[: len(whole) // 2], b'', b'not an image'):
        path.write_bytes(content)
        with pytest.raises(DepthDataError, match='cut.jpg'):
            LoadMultiViewImages()(dict(img_path=[str(path)]))
    with pytest.raises(FileNotFoundError, match='absent.jpg'):
        LoadMultiViewImages()(dict(img_path=[str(tmp_path / 'absent.jpg')]))
