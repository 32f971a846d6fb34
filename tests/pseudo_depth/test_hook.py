"""Pseudo depth predicted during training of the detector."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.detectors.bevdet import BEVDet
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.errors import ConfigError
from hybrid_depth.geometry import CameraRig
from hybrid_depth.pseudo_depth.hook import OnlinePseudoDepthHook, _image_sizes
from tests.bev.depth_nets.test_semantics import forward_rig
from tests.borders.refusal import refused
from tests.conftest import ROOT


def toy_detector(supervision: list) -> BEVDet:
    cfg = Config.fromfile(ROOT / 'configs/toy/bevdet_depth_toy.py')
    cfg.model.img_view_transformer.depth_net.depth_supervision = supervision
    return build_model(cfg)


def test_online_pseudo_depth_needs_trained_weights(depth_model):
    with pytest.raises(ConfigError, match='random weights'):
        OnlinePseudoDepthHook(str(depth_model[0]), None, image_size=(64, 128))


def loader_of(sizes):
    """Of a wrapped data set whose first sample has images of these sizes (width, height)."""
    info = dict(img_size=sizes)
    dataset = SimpleNamespace(get_data_info=lambda index: info)
    return SimpleNamespace(dataset=SimpleNamespace(dataset=dataset))


def test_image_sizes_are_those_of_the_info_file(toy_infos, toy_nuscenes):
    path = toy_infos / 'nuscenes_infos_train.pkl'
    dataset = NuScenesBEVDataset(str(toy_nuscenes), str(path), pipeline=[])
    wrapped = SimpleNamespace(dataset=dataset)
    runner = SimpleNamespace(train_dataloader=SimpleNamespace(dataset=wrapped))
    assert _image_sizes(runner) == [(36, 64)] * 6


def test_an_info_file_without_image_sizes(depth_model):
    hook = OnlinePseudoDepthHook(*map(str, depth_model), scale='none')
    runner = SimpleNamespace(model=toy_detector([dict(type='PseudoDepthTarget')]))
    runner.train_dataloader = loader_of([(None, None)])
    with refused('image_size=(HEIGHT, WIDTH)', 'rig import'):
        hook.before_train(runner)


def test_online(depth_model):
    model = toy_detector([dict(type='PseudoDepthTarget')])
    keys = set(model.state_dict())
    hook = OnlinePseudoDepthHook(*map(str, depth_model), scale='none', mirror_tolerance=9)
    hub = MessageHub('test_online')
    runner = SimpleNamespace(model=model, message_hub=hub)
    runner.train_dataloader = loader_of([(128, 64), (256, 128)])
    hook.before_train(runner)
    assert hook.view.img_aug[:, 0, 0].tolist() == [1.0, 0.5]  # to the model's 64 x 128
    hook.after_train_iter(runner, 0)
    assert not hub.log_scalars  # not used yet
    assert set(model.state_dict()) == keys  # the depth model is not part of the detector
    net = model.img_view_transformer.depth_net
    logits = torch.zeros(2, net.bins.num, 4, 8, requires_grad=True)
    rig = forward_rig()
    rig = CameraRig(
        *(x.expand(1, 2, *x.shape[2:]) if x.dim() == 4 else x for x in vars(rig).values())
    )
    inputs = dict(imgs=torch.rand(1, 2, 3, 64, 128), rig=rig)
    (target,) = net.depth_targets
    target.loss(logits, inputs, net.bins).backward()
    assert logits.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in hook.view.source.model.parameters())
    hook.after_train_iter(runner, 0)
    assert hub.get_scalar('train/pseudo_depth_known').current() == hook.view.known > 0.9
    with pytest.raises(ConfigError, match='PseudoDepthTarget'):
        hook.before_train(SimpleNamespace(model=toy_detector([])))
