"""A tiny depth model on disk."""

import pytest
import torch
from mmengine.config import Config

from hybrid_depth.checkpoints.build import build_model
from tests.depth.estimators.tiny import CONV


@pytest.fixture(scope='session')
def depth_model(tmp_path_factory):
    """Config and checkpoint of a tiny model that was trained at 128x64."""
    folder = tmp_path_factory.mktemp('depth_model')
    resize = dict(type='ResizeFrames', size=(128, 64))
    cfg = Config(
        dict(
            model=dict(CONV, min_depth=2.0, max_depth=20.0),
            custom_imports=dict(imports=['hybrid_depth.depth_modules']),
            test_dataloader=dict(dataset=dict(pipeline=[resize])),
        )
    )
    cfg.dump(folder / 'tiny.py')
    torch.manual_seed(0)
    torch.save(dict(state_dict=build_model(cfg).state_dict()), folder / 'tiny.pth')
    return folder / 'tiny.py', folder / 'tiny.pth'
