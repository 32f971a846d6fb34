"""Files in the layout of official releases, with weights of the golden recipe or of tiny models."""

import re
from pathlib import Path

import torch
from torch import Tensor

from tests.golden.monodepth2 import RELEASE, official_keys
from tests.golden.recipe import tensor

FOLDER = ('encoder.pth', 'depth.pth', 'pose_encoder.pth', 'pose.pth')
_ENCODER = {
    'dino.vit.': 'dinov2.',
    'clip.visual.': 'clip.visual.',
    'align.': 'clip_align_conv.',
    'language.tower.': 'clip.',
}
_DECODER = {
    'resizes': 'resize_layers',
    'neck': 'scratch.output_conv1',
    'head': 'scratch.output_conv2',
    'skip_unit': 'resConfUnit1',
    r'(?<!skip_)unit': 'resConfUnit2',
}
_TOKENS = 'language.prompts.tokens'


def save_folder(folder: Path, files: dict[str, dict]) -> Path:
    """Write one file per network."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        torch.save(content, folder / name)
    return folder


def recipe(shapes: dict[str, list[int]], prefix: str = '') -> dict[str, Tensor]:
    """Golden weights for keys at `prefix` of the recipe."""
    return {key: tensor(prefix + key, shape) for key, shape in shapes.items()}


def zeros(shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """Zeros that take no space in a file: expanded tensors of one element."""
    return {key: torch.zeros(()).expand(shape) for key, shape in shapes.items()}


def monodepth2_files(draw: bool = True, **parts: str | None) -> dict[str, dict]:
    """A release of Monodepth2 by file.

    Args:
        draw: use the golden weights; otherwise `zeros`.
        parts: another entry of the key list for a file (without suffix); None omits the file.
    """
    files = {}
    for name in FOLDER:
        module = name.removesuffix('.pth')
        part = parts.get(module, name)
        if part is not None:
            shapes = official_keys(part)
            files[name] = recipe(shapes, f'{module}.') if draw else zeros(shapes)
    files['encoder.pth'] |= RELEASE
    return files


def hybrid_encoder(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """State of a `HybridDepthEncoder` with official names, including unused parts."""
    official = {
        'dinov2.mask_token': torch.zeros(1, 4),
        'clip.logit_scale': torch.tensor(4.6),
        'clip.visual.attnpool.positional_embedding': torch.zeros(5, 4),
    }
    for key, value in state.items():
        if key == _TOKENS:
            rows = {f'extra_tkns_learnables_depth.{i}': row for i, row in enumerate(value.split(1))}
            official |= rows
        else:
            old = next(part for part in _ENCODER if key.startswith(part))
            official[_ENCODER[old] + key.removeprefix(old)] = value
    return official


def hybrid_decoder(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """State of a `DPTDecoder` with official names, including unused parts."""
    official = {'depth_head.projects.4.weight': torch.zeros(2, 2, 1, 1)}
    for key, value in state.items():
        for new, old in _DECODER.items():
            key = re.sub(rf'(^|\.){new}\.', rf'\1{old}.', key)
        key = re.sub(r'^reduces\.(\d)', lambda m: f'scratch.layer{int(m[1]) + 1}_rn', key)
        key = re.sub(r'^fusions\.(\d)', lambda m: f'scratch.refinenet{int(m[1]) + 1}', key)
        official[f'depth_head.{key}'] = value
    return official


def part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Entries with a prefix, which is removed."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def hybrid_stage2_files(state: dict[str, Tensor], size: tuple[int, int]) -> dict[str, dict]:
    """A stage 2 folder by file, from the state of a `Monodepth2` with a ResNet pose net."""
    settings = dict(height=size[0], width=size[1], use_stereo=False)
    return {
        'encoder.pth': hybrid_encoder(part(state, 'encoder.')) | settings,
        'depth.pth': hybrid_decoder(part(state, 'decoder.')),
        'pose_encoder.pth': part(state, 'pose_net.encoder.')
        | {'encoder.fc.weight': torch.zeros(2, 2), 'encoder.fc.bias': torch.zeros(2)},
        'pose.pth': part(state, 'pose_net.decoder.'),
    }


def stage1_checkpoint(state: dict[str, Tensor], settings: object) -> dict:
    """Lightning checkpoint of stage 1 from the state of a `LanguageAlignment`."""
    encoder = hybrid_encoder(part(state, 'encoder.'))
    tensors = {f'model.{key}': value for key, value in encoder.items()}
    tensors['model.depth_head.scratch.output_conv.0.weight'] = torch.zeros(2, 2, 3, 3)
    return dict(
        epoch=19,
        global_step=1000,
        state_dict=tensors,
        loops=dict(fit_loop=dict(state_dict={})),
        callbacks={"ModelCheckpoint{'every_n_epochs': 2}": dict(best_model_score=None)},
        hyper_parameters=settings,
    )
