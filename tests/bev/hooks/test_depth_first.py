"""Training of depth first, then of detection with a frozen lift."""

import copy
from dataclasses import replace

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from hybrid_depth.bev.depth_nets import camera_aware
from hybrid_depth.bev.hooks.depth_first import DepthFirstHook
from hybrid_depth.bev.parts import Frame
from hybrid_depth.checkpoints.build import build_model
from tests.bev.toy import training_keyframe
from tests.conftest import ROOT

IMAGE_SIDE = ('img_backbone', 'img_neck', 'img_view_transformer')


class Runner:
    """Runner with the attributes used by the hook."""

    def __init__(self, model: torch.nn.Module, epoch: int) -> None:
        self.model, self.epoch = model, epoch


def toy_model(name: str) -> torch.nn.Module:
    return build_model(Config.fromfile(ROOT / f'configs/toy/{name}.py')).train()


@pytest.fixture(scope='module')
def samples(toy_nuscenes, tmp_path_factory) -> list[dict]:
    """Two key frames of a scene, each with the previous one."""
    folder = tmp_path_factory.mktemp('infos')
    return [training_keyframe('bevdet4d_toy', toy_nuscenes, folder, index) for index in range(2)]


@pytest.fixture
def sample(samples) -> dict:
    return samples[0]


def learn(
    hook: DepthFirstHook, model: torch.nn.Module, sample: dict, epoch: int
) -> tuple[dict, set[str]]:
    """Losses of a training step in an epoch, and the names of the parameters with a gradient.

    As in mmengine's loop, the model is set to training mode after the hook of the epoch.
    """
    runner = Runner(model, epoch)
    hook.before_train_epoch(runner)
    model.train()
    batch = pseudo_collate([copy.deepcopy(sample)])
    hook.before_train_iter(runner, 0, batch)
    model.zero_grad(set_to_none=True)
    data = model.data_preprocessor(batch, True)
    losses = model.loss(data['inputs'], data['data_samples'])
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    hook.after_train_epoch(runner)
    return losses, {name for name, p in model.named_parameters() if p.grad is not None}


def test_depth_then_detection(sample):
    model, hook = toy_model('bevdet_depth_toy'), DepthFirstHook(2)
    losses, learned = learn(hook, model, sample, epoch=1)
    assert set(losses) == {'loss_depth_lidar', 'loss_semantics'}
    assert learned and all(name.startswith(IMAGE_SIDE) for name in learned)
    assert not any('context' in name for name in learned)

    statistics = {k: v.clone() for k, v in model.img_backbone.named_buffers()}
    losses, learned = learn(hook, model, sample, epoch=2)
    assert {'task0.loss_heatmap', 'task0.loss_bbox'} <= set(losses)
    assert not any('depth' in name or 'semantics' in name for name in losses)
    assert any(name.startswith('pts_bbox_head') for name in learned)
    assert not any(name.startswith(IMAGE_SIDE) for name in learned)
    for name, buffer in model.img_backbone.named_buffers():
        assert torch.equal(buffer, statistics[name]), name
    assert model.pts_bbox_head.training and not model.img_backbone.training


@pytest.mark.parametrize('name', ['bevdet_depth_toy', 'bevdet4d_toy', 'fbbev_hybrid_toy'])
def test_cached_lifts_give_equal_losses_without_the_image_backbone(samples, name):
    model, hook = toy_model(name), DepthFirstHook(2, keep_lifts=True)
    keys = list(model.state_dict())
    expected, _ = learn(DepthFirstHook(2), copy.deepcopy(model), samples[1], epoch=2)
    learn(hook, model, samples[1], epoch=2)
    forward, model.img_backbone.forward = model.img_backbone.forward, None
    kept, learned = learn(hook, model, samples[1], epoch=3)
    for loss, value in expected.items():
        torch.testing.assert_close(kept[loss], value, msg=loss)
    assert not any(parameter.startswith(IMAGE_SIDE) for parameter in learned)
    assert any(parameter.startswith('img_bev_encoder_backbone') for parameter in learned)
    assert list(model.state_dict()) == keys
    model.img_backbone.forward = forward
    with torch.no_grad():  # without a cache between epochs, frames need no names
        data = model.eval().data_preprocessor(pseudo_collate([samples[1]]), False)
        model.lift(Frame(data['inputs']['imgs'], data['inputs']['rig']))


@pytest.mark.parametrize('name', ['bevdet_hybrid_toy', 'fbbev_hybrid_toy'])
def test_augmented_cached_lifts_give_the_losses_of_augmented_lifts(samples, name, monkeypatch):
    """A quarter turn moves cells to cells, so nothing is interpolated. The depth net does not see
    the augmentation of cached lifts."""
    seen = camera_aware.camera_vector
    unit = torch.eye(4, dtype=torch.float64)[None]
    monkeypatch.setattr(camera_aware, 'camera_vector', lambda rig: seen(replace(rig, bda=unit)))
    turn = dict(rotate=(90, 90), scale=(1, 1), flip_x=0.0, flip_y=0.0)
    model = toy_model(name)
    plain, _ = learn(DepthFirstHook(2), copy.deepcopy(model), samples[1], epoch=2)
    hook = DepthFirstHook(2, bev_augmentation=turn)
    expected, _ = learn(hook, copy.deepcopy(model), samples[1], epoch=2)
    hook = DepthFirstHook(2, keep_lifts=True, bev_augmentation=turn)
    learn(hook, copy.deepcopy(model), samples[0], epoch=1)  # depth: not augmented
    kept, _ = learn(hook, model, samples[1], epoch=2)
    for loss, value in expected.items():
        torch.testing.assert_close(kept[loss], value, rtol=1e-4, atol=0, msg=loss)
    assert abs(plain['task0.loss_heatmap'] / kept['task0.loss_heatmap'] - 1) > 1e-3


def test_augmentation_of_boxes_and_of_the_rigs_of_all_frames(samples):
    turn = dict(rotate=(90, 90), scale=(2, 2), flip_x=0.0, flip_y=0.0)
    hook, sample = DepthFirstHook(2, bev_augmentation=turn), samples[1]
    batch = pseudo_collate([copy.deepcopy(sample), copy.deepcopy(sample)])
    hook.before_train_iter(Runner(toy_model('bevdet4d_toy'), 1), 0, batch)
    boxes = sample['data_samples'].gt_instances_3d.bboxes_3d.tensor
    assert torch.equal(batch['data_samples'][1].gt_instances_3d.bboxes_3d.tensor, boxes)
    hook.before_train_iter(Runner(toy_model('bevdet4d_toy'), 2), 0, batch)
    expected = torch.diag(torch.tensor([2.0, 2, 2, 1])).double()
    expected[:2, :2] = torch.tensor([[0.0, -2], [2, 0]])
    for frame in (batch['inputs'], *batch['inputs']['adjacent']):
        for bda in frame['rig']['bda']:
            torch.testing.assert_close(bda, expected)
    moved = batch['data_samples'][1].gt_instances_3d.bboxes_3d.tensor
    torch.testing.assert_close(moved[:, 0], -2 * boxes[:, 1])


def test_cached_lifts_of_two_samples_are_channels_last(samples):
    model, hook = toy_model('bevdet_depth_toy'), DepthFirstHook(2, keep_lifts=True)
    for sample in samples:
        learn(hook, model, sample, epoch=2)
    hook.prepare(model, 2)
    two = model.data_preprocessor(pseudo_collate(samples), True)
    frame = Frame.of(two['inputs'], two['data_samples'])
    bev, distribution = model.lift(frame)
    assert bev.shape[0] == 2 and bev.is_contiguous(memory_format=torch.channels_last)
    larger = torch.diag(torch.tensor([1.5, 1.5, 1.5, 1])).double().expand(2, 4, 4)
    augmented, _ = model.lift(replace(frame, rig=replace(frame.rig, bda=larger)))
    assert augmented.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(model.lift(frame)[0], bev, rtol=0, atol=0)  # kept as it was
    assert distribution.logits.shape[0] == distribution.context.shape[0] == 12
    assert not torch.equal(bev[0], bev[1])


def test_cached_lifts_reject_random_augmentation(sample):
    model, hook = toy_model('bevdet_depth_toy'), DepthFirstHook(2, keep_lifts=True)
    learn(hook, model, sample, epoch=2)
    sample = copy.deepcopy(sample)
    sample['inputs']['rig']['img_aug'][0, 0, 2] += 1
    with pytest.raises(ValueError, match='random augmentation'):
        learn(hook, model, sample, epoch=2)


def test_cached_lifts_need_tokens(sample):
    model, hook = toy_model('bevdet_depth_toy'), DepthFirstHook(2, keep_lifts=True)
    hook.prepare(model, 2)
    data = model.data_preprocessor(pseudo_collate([sample]), True)
    for names in ([], [None]):
        with pytest.raises(ValueError, match='expected the token of each of 1 samples'):
            model.lift(Frame(data['inputs']['imgs'], data['inputs']['rig'], names))


def test_a_net_without_supervision_cannot_train_depth_first():
    with pytest.raises(ValueError, match='depth_supervision'):
        DepthFirstHook(1).prepare(toy_model('bevdet_plain_toy'), 0)


def test_zero_epochs_for_depth():
    with pytest.raises(ValueError, match='got 0'):
        DepthFirstHook(epochs=0)
