"""BEVDataPreprocessor: stacking, types, errors."""

import pytest
import torch
from mmdet3d.registry import MODELS
from mmdet3d.structures import Det3DDataSample
from mmengine.dataset import pseudo_collate

from hybrid_depth.geometry import CameraRig


def sample(height: int = 4, with_depth: bool = True) -> dict:
    eye3, eye4 = torch.eye(3).double().repeat(6, 1, 1), torch.eye(4).double().repeat(6, 1, 1)
    inputs = dict(
        img=torch.rand(6, 3, height, 8),
        rig=dict(cam2img=eye3, cam2ego=eye4, img_aug=eye3, bda=eye4[0], ego2global=eye4[0]),
    )
    if with_depth:
        inputs['gt_depth'] = torch.rand(6, height, 8)
    return dict(inputs=inputs, data_samples=Det3DDataSample(metainfo=dict(token='t')))


@pytest.fixture
def preprocessor():
    return MODELS.build(dict(type='BEVDataPreprocessor'))


def test_batch(preprocessor):
    samples = [sample(), sample()]
    for one in samples:
        one['inputs']['ground_mask'] = torch.rand(6, 4, 8) < 0.5
    batch = preprocessor(pseudo_collate(samples), training=True)
    inputs = batch['inputs']
    assert torch.equal(inputs['imgs'][1], samples[1]['inputs']['img'])
    assert isinstance(inputs['rig'], CameraRig)
    assert inputs['rig'].cam2ego.shape == (2, 6, 4, 4)
    assert inputs['rig'].bda.shape == (2, 4, 4)
    assert inputs['rig'].cam2ego.dtype == torch.float64
    assert inputs['gt_depth'].shape == (2, 6, 4, 8)
    assert torch.equal(inputs['ground_mask'][1], samples[1]['inputs']['ground_mask'])
    assert [data.token for data in batch['data_samples']] == ['t', 't']


def test_depth_is_optional(preprocessor):
    inputs = preprocessor(pseudo_collate([sample(with_depth=False)]))['inputs']
    assert set(inputs) == {'imgs', 'rig'}


def test_mixed_sizes(preprocessor):
    with pytest.raises(ValueError, match='img.*final_size'):
        preprocessor(pseudo_collate([sample(4), sample(6)]))


def test_all_tensors_are_moved_to_the_device(preprocessor):
    inputs = preprocessor.to('meta')(pseudo_collate([sample()]))['inputs']
    tensors = (inputs['imgs'], inputs['gt_depth'], inputs['rig'].bda)
    assert {tensor.device.type for tensor in tensors} == {'meta'}
