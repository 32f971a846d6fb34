"""Optimisations of training and inference are in effect; benchmarks measure times."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS

from hybrid_depth.foundation import TextTower
from tests.depth.encoders.tiny import TINY_DINO, TINY_HYBRID
from tests.depth.estimators.tiny import HYBRID, make_inputs

POSE_NETS = [dict(type='PoseCNN'), dict(type='ClassTokenPoseNet', channels=64)]


def build(**changes):
    torch.manual_seed(0)
    return MODELS.build({**HYBRID, **changes})


@pytest.fixture
def tower_runs(monkeypatch):
    """Context lengths of all forward passes of a text tower."""
    runs, forward = [], TextTower.forward

    def counted(self, prompts):
        runs.append(prompts(self.token_embedding).shape[1])
        return forward(self, prompts)

    monkeypatch.setattr(TextTower, 'forward', counted)
    return runs


@pytest.mark.parametrize('pose_net', POSE_NETS, ids=lambda cfg: cfg['type'])
def test_text_tower_runs_once_per_step_and_not_in_inference(tower_runs, pose_net):
    """Three frames, four levels and one pass of the text tower, over eight tokens of its 16."""
    model = build(pose_net=pose_net)
    wrapper = build_optim_wrapper(model, dict(optimizer=dict(type='AdamW', lr=1e-3)))
    tower_runs.clear()
    for _ in range(2):
        model.train_step(dict(inputs=make_inputs()), wrapper)
    assert tower_runs == [8, 8]
    model.eval()
    tower_runs.clear()
    model.disparity(make_inputs()['images'][0])
    assert tower_runs == []


def test_neighbours_are_only_encoded_for_the_pose_net():
    """CLIP and decoder run on frame 0 only; DINO on all frames if the pose net uses its tokens."""
    model = build(pose_net=POSE_NETS[1])
    towers = dict(clip=model.encoder.clip, dino=model.encoder.dino)
    runs = dict.fromkeys(towers, 0)
    for name, tower in towers.items():
        tower.register_forward_hook(lambda *_, name=name: runs.update({name: runs[name] + 1}))
    inputs = make_inputs()
    model.loss(inputs)
    assert runs == dict(clip=1, dino=3)
    model.relative_pose(inputs['images'][0], inputs['images'][1])
    assert runs == dict(clip=1, dino=5)


def saved_bytes(trainable):
    """Bytes that a forward pass of DINO saves for the backward pass."""
    torch.manual_seed(0)
    encoder = MODELS.build(
        dict(type='HybridDepthEncoder', clip=None, dino=TINY_DINO, trainable=trainable)
    )
    parameters, kept = {p.data_ptr() for p in encoder.parameters()}, []

    def keep(tensor):
        if tensor.data_ptr() not in parameters:
            kept.append(tensor.numel() * tensor.element_size())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        encoder(torch.rand(1, 3, 112, 112))
    return sum(kept)


def test_frozen_blocks_save_nothing_for_the_backward_pass():
    """With one of four blocks trained about a quarter is saved; nothing if all are frozen."""
    whole, last = saved_bytes('all'), saved_bytes(('dino.vit.blocks.3',))
    assert 0.15 * whole < last < 0.3 * whole
    assert saved_bytes('none') == 0


def test_maps_of_frozen_blocks_carry_no_graph():
    encoder = MODELS.build(dict(TINY_HYBRID, trainable=('dino.vit.blocks.3', 'language.prompts')))
    maps, tokens = encoder.dino(torch.rand(1, 3, 64, 64))
    assert [m.requires_grad for m in maps] == [False, False, False, True]
    assert not encoder.fuse(torch.rand(1, 3, 64, 64)).maps[0].requires_grad
    assert tokens[-1].requires_grad


def test_attention_is_fused(monkeypatch):
    """Every block of DINO and of the text tower uses PyTorch's fused attention."""
    calls, original = [], F.scaled_dot_product_attention

    def counted(*args, **kwargs):
        calls.append(args[0].shape)
        return original(*args, **kwargs)

    monkeypatch.setattr(F, 'scaled_dot_product_attention', counted)
    encoder = build().encoder
    calls.clear()
    encoder(torch.rand(1, 3, 64, 64))
    blocks = len(encoder.dino.vit.blocks), len(encoder.language.tower.transformer.resblocks)
    assert len(calls) == sum(blocks)
