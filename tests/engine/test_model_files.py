"""Weights of models for inference."""

import pytest
import torch
from torch import nn

from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.engine.model_files import load_weights


def test_weights_for_another_channel_order_are_rejected(tmp_path):
    model = nn.Module()
    model.img_backbone = nn.Linear(2, 3)
    meta = dict(input_channel_order='bgr', epoch=7)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), tmp_path / 'net.pth')
    model.img_backbone.channel_order = 'bgr'
    assert load_weights(model, tmp_path / 'net.pth') == meta
    model.img_backbone.channel_order = 'rgb'
    with pytest.raises(CheckpointMismatchError, match="channel_order 'bgr'.*got 'rgb'"):
        load_weights(model, tmp_path / 'net.pth')


def test_without_a_checkpoint_there_is_a_warning():
    with pytest.warns(UserWarning, match='Linear has random weights'):
        assert load_weights(nn.Linear(2, 3), None) == {}
