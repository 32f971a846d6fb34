import pytest
import torch
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.structures import BaseDataElement

from hybrid_depth.depth.estimators import DepthDataPreprocessor


def item(size=(8, 12), **inputs):
    images = {i: torch.rand(3, *size) for i in (0, -1, 1)}
    sample = BaseDataElement(metainfo=dict(name='x'))
    return dict(inputs=dict(images=images, cam2img=torch.eye(3), **inputs), data_samples=sample)


def test_lists_are_stacked_and_samples_passed_through():
    items = [item(), item()]
    batch = DepthDataPreprocessor()(pseudo_collate(items), training=True)
    images = batch['inputs']['images']
    assert set(images) == {0, -1, 1} and images[-1].shape == (2, 3, 8, 12)
    assert torch.equal(images[1][1], items[1]['inputs']['images'][1])
    assert batch['inputs']['cam2img'].shape == (2, 3, 3)
    assert [s.name for s in batch['data_samples']] == ['x', 'x']


def test_stacked_batches_are_accepted():
    items = [dict(inputs=item()['inputs']) for _ in range(2)]
    batch = DepthDataPreprocessor()(default_collate(items))
    assert batch['inputs']['images'][0].shape == (2, 3, 8, 12) and batch['data_samples'] is None


def test_different_sizes_are_named():
    with pytest.raises(ValueError, match=r'images\[0\] of one shape.*\(3, 8, 10\)'):
        DepthDataPreprocessor()(pseudo_collate([item(), item((8, 10))]))


def test_a_batch_without_target():
    with pytest.raises(ValueError, match='target'):
        DepthDataPreprocessor()(dict(inputs=dict(images={1: [torch.rand(3, 4, 4)]})))
