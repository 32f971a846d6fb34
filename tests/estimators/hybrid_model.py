"""Hybrid-depth stage 2 as released, with the golden recipe's weights and its triplet."""

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import Tensor

from hybrid_depth.estimators import Monodepth2
from hybrid_depth.estimators.official_keys import convert_hybrid_folder
from tests.conftest import ROOT
from tests.encoders.official import official_shapes, official_weights
from tests.golden import weights

FILES = ('encoder.pth', 'depth.pth', 'pose_encoder.pth', 'pose.pth')
SIZE = (224, 672)


def build(head_bias: float) -> Monodepth2:
    """The model of the shipped config without pretrained files, with the recipe's weights."""
    cfg = Config.fromfile(ROOT / 'configs/_base_/models/monodepth2_hybrid.py').model
    for part in (cfg.encoder.clip, cfg.encoder.dino, cfg.pose_net):
        part.pretrained = None
    model = MODELS.build({**cfg, 'tie_break': 0.0})
    official = {file: official_weights(f'stage2/{file}') for file in FILES}
    official['depth.pth']['depth_head.scratch.output_conv2.2.bias'].fill_(head_bias)
    model.load_state_dict(convert_hybrid_folder(official)[0])
    return model


def triplet(shift: int = 8) -> dict[int, Tensor]:
    """Frames -1, 0 and +1."""
    rows, columns = SIZE
    base = weights.image('hybrid_depth.triplet', (1, 3, rows, columns + 2 * shift))
    return {
        i: torch.from_numpy(np.ascontiguousarray(base[..., at : at + columns]))
        for i, at in ((-1, 0), (0, shift), (1, 2 * shift))
    }


def make_inputs(dtype: torch.dtype = torch.float32) -> dict:
    """Inputs of the training step."""
    images = {i: picture.to(dtype) for i, picture in triplet().items()}
    cam2img = torch.tensor([[[0.58 * 672, 0, 336], [0, 1.92 * 224, 112], [0, 0, 1.0]]])
    return dict(images=images, cam2img=cam2img)


def official_gradients(model: Monodepth2) -> dict[str, Tensor | None]:
    """Gradients under the official names, as 'encoder:clip.visual.conv1.weight'; None where the
    parameter got none. Learned tokens are split into rows."""
    numbered = {
        file: {key: torch.full((1,), float(i)) for i, key in enumerate(official_shapes(part))}
        for file, part in ((file, f'stage2/{file}') for file in FILES)
    }
    converted, _ = convert_hybrid_folder(numbered)
    starts = dict(
        zip(('encoder.', 'decoder.', 'pose_net.encoder.', 'pose_net.'), FILES, strict=True)
    )
    gradients = {}
    for name, parameter in model.named_parameters():
        file = next(file for start, file in starts.items() if name.startswith(start))
        keys = [list(numbered[file])[int(i)] for i in converted[name]]
        rows = [parameter.grad] if len(keys) == 1 else parameter.grad.split(1)
        if parameter.requires_grad:
            part = file.removesuffix('.pth')
            gradients |= {f'{part}:{k}': row for k, row in zip(keys, rows, strict=True)}
    return gradients
