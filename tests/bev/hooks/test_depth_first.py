"""A detector that learns depth first, then detection on a frozen image side."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from hybrid_depth.bev.hooks.depth_first import DepthFirstHook
from hybrid_depth.checkpoints.build import build_model
from tests.bev.toy import training_keyframe
from tests.conftest import ROOT

IMAGE_SIDE = ('img_backbone', 'img_neck', 'img_view_transformer')


class Runner:
    """What the hook needs of a runner."""

    def __init__(self, model: torch.nn.Module, epoch: int) -> None:
        self.model, self.epoch = model, epoch


def toy_model(name: str) -> torch.nn.Module:
    return build_model(Config.fromfile(ROOT / f'configs/toy/{name}.py')).train()


@pytest.fixture(scope='module')
def sample(toy_nuscenes, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp('infos')
    return training_keyframe('bevdet_depth_toy', toy_nuscenes, folder, 0)


def learn(
    model: torch.nn.Module, sample: dict, epoch: int, keep_lifts: bool = False
) -> tuple[dict, set[str]]:
    """Losses of a training step in an epoch, and the names of the parameters that got a gradient.

    As mmengine's loop does, the model is put in training mode after the hook.
    """
    DepthFirstHook(2, keep_lifts).before_train_epoch(Runner(model, epoch))
    model.train()
    model.zero_grad(set_to_none=True)
    data = model.data_preprocessor(pseudo_collate([sample]), True)
    losses = model.loss(data['inputs'], data['data_samples'])
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    return losses, {name for name, p in model.named_parameters() if p.grad is not None}


def test_depth_then_detection(sample):
    model = toy_model('bevdet_depth_toy')
    losses, learned = learn(model, sample, epoch=1)
    assert set(losses) == {'loss_depth_lidar', 'loss_semantics'}
    assert learned and all(name.startswith(IMAGE_SIDE) for name in learned)
    assert not any('context' in name for name in learned)

    statistics = {k: v.clone() for k, v in model.img_backbone.named_buffers()}
    losses, learned = learn(model, sample, epoch=2)
    assert {'task0.loss_heatmap', 'task0.loss_bbox'} <= set(losses)
    assert not any('depth' in name or 'semantics' in name for name in losses)
    assert any(name.startswith('pts_bbox_head') for name in learned)
    assert not any(name.startswith(IMAGE_SIDE) for name in learned)
    for name, buffer in model.img_backbone.named_buffers():
        assert torch.equal(buffer, statistics[name]), name
    assert model.pts_bbox_head.training and not model.img_backbone.training


def test_kept_lifts_change_nothing_but_the_time(sample):
    model = toy_model('bevdet_depth_toy')
    expected, _ = learn(copy.deepcopy(model), sample, epoch=2)
    learn(model, sample, epoch=2, keep_lifts=True)
    model.img_backbone.forward = None  # must not be needed again
    kept, _ = learn(model, sample, epoch=3, keep_lifts=True)
    for name, value in expected.items():
        assert torch.equal(kept[name], value), name


def test_kept_lifts_stay_channels_last(sample):
    model = toy_model('bevdet_depth_toy')
    learn(model, sample, epoch=2, keep_lifts=True)
    two = model.data_preprocessor(pseudo_collate([sample, sample]), True)
    bev, _ = model._frozen_lift(two['inputs'], two['data_samples'])
    assert bev.shape[0] == 2 and bev.is_contiguous(memory_format=torch.channels_last)


def test_kept_lifts_refuse_random_augmentation(sample):
    model = toy_model('bevdet_depth_toy')
    learn(model, sample, epoch=2, keep_lifts=True)
    sample = copy.deepcopy(sample)
    sample['inputs']['rig']['img_aug'][0, 0, 2] += 1
    with pytest.raises(ValueError, match='random augmentation'):
        learn(model, sample, epoch=2, keep_lifts=True)


def test_a_net_without_supervision_can_not_learn_depth_first():
    with pytest.raises(ValueError, match='depth_supervision'):
        toy_model('bevdet_plain_toy').learn_depth_only()


def test_no_epoch_for_depth():
    with pytest.raises(ValueError, match='got 0'):
        DepthFirstHook(epochs=0)
