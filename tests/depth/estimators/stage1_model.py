"""Hybrid-depth stage 1 as released, with the golden recipe's weights, images and lanes."""

from functools import cache

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from hybrid_depth.checkpoints.build import without_pretrained
from hybrid_depth.depth.estimators import LanguageAlignment
from hybrid_depth.depth.transforms.patches import pick_points
from hybrid_depth.foundation.images import PRESETS
from hybrid_depth.releases.monodepth2_keys import convert_stage1_keys
from tests.conftest import ROOT
from tests.golden import recipe
from tests.golden.reader import Golden
from tests.releases.official_encoder import official_weights

PART = 'stage1.ckpt[state_dict]'


@cache
def official_model() -> LanguageAlignment:
    """The model of the shipped config without pretrained files. Shared: do not change it."""
    return build()


def build(dtype: torch.dtype = torch.float32) -> LanguageAlignment:
    """A copy of the model, in training mode."""
    cfg = Config.fromfile(ROOT / 'configs/_base_/models/language_alignment.py').model
    model = MODELS.build(without_pretrained(cfg))
    model.load_state_dict(convert_stage1_keys(official_weights(PART))[0])
    model.to(dtype)
    for tower in (model.encoder.clip, model.encoder.dino):
        # Not rounded to float32, which changes gradients by 1e-3, as ReLUs change sign.
        for buffer, exact in zip(tower.normalize.buffers(), PRESETS['imagenet'], strict=True):
            buffer.copy_(torch.tensor(exact, dtype=dtype).view_as(buffer))
    return model.train()


def images(count: int) -> Tensor:
    """(count, 3, 224, 392) in [0, 1]; the towers normalise them."""
    return recipe.image('hybrid_depth.stage1', (2, 3, 224, 392))[:count]


def sample(golden: Golden, lanes: list[int], direction: str) -> BaseDataElement:
    """Points of these lanes as in the release: columns scaled like the rows."""
    step = -1 if direction == 'reversed' else 1
    rows, columns = golden.array('rows')[::step], golden.array('lanes')
    lines = [pick_points(columns[i][::step], rows, 7) for i in lanes]
    picked = np.array([line for line in lines if line is not None])
    return BaseDataElement(patches=torch.from_numpy(picked * float(golden['resize_ratio'])))
