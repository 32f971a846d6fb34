"""Comparison of a converted hybrid encoder with the original ("stock") foundation weights.

The released rules define which parts are trained: docs/reference/hybrid_depth.md,
"Stage 1 training", and docs/reference/hybrid_depth.md, "Stage 2 training". Comparing with the stock
files shows which parts were.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from mmengine.registry import MODELS
from torch import Tensor

from .conversion import ReleaseError

_IMAGE, _TEXT, _DINO = 'encoder.clip.visual.', 'encoder.language.tower.', 'encoder.dino.vit.'

_ADVICE = dict(
    clip="OpenAI's RN50.pt is a TorchScript program; use the tag openai, or "
    'open_clip_model.safetensors of huggingface.co/timm/resnet50_clip.openai',
    dino="use Meta's dinov2_vitb14_pretrain.pth",
)


@dataclass(frozen=True)
class Comparison:
    """Comparison of one part of the encoder with the stock weights.

    Attributes:
        part: its name.
        trained: whether the release trains it.
        equal, total: number of equal tensors, and of all.
        largest: largest absolute difference.
        differing: keys of different tensors.
    """

    part: str
    trained: bool
    equal: int
    total: int
    largest: float
    differing: tuple[str, ...]

    def __str__(self) -> str:
        rule = 'trained' if self.trained else 'frozen'
        fits = self.trained == (self.equal < self.total)
        text = f'{self.part}: {self.equal} of {self.total} tensors equal the stock file'
        if self.differing:
            text += f' (largest difference {self.largest:.2g}, first {self.differing[0]})'
        return f'{text}; {rule} in the release: {"as expected" if fits else "NOT as expected"}'


def compare_with_stock(
    state: Mapping[str, Tensor], encoder: dict, clip: str | None, dino: str | None, stage: int
) -> list[Comparison]:
    """Compare a converted encoder with foundation weights.

    Args:
        state: converted weights.
        encoder: config of the `HybridDepthEncoder`.
        clip, dino: foundation weights, a file or a tag as `pretrained` of `CLIPTower` and
            `DINOTower`; None for no comparison.
        stage: 1 or 2.

    Raises:
        FileNotFoundError: the file does not exist.
        ReleaseError: it does not match the tower.
    """
    found = []
    for compare, name, file in ((_compare_clip, 'clip', clip), (_compare_dino, 'dino', dino)):
        if not file:
            continue
        try:
            found += compare(state, {**encoder[name], 'pretrained': file}, stage)
        except (RuntimeError, KeyError, ValueError, pickle.UnpicklingError) as error:
            raise ReleaseError(
                f'stock weights {file}: expected those of the tower {dict(encoder[name])}, got: '
                f'{str(error)[:400]}\n{_ADVICE[name]}'
            ) from error
    return found


def _compare_clip(state: Mapping[str, Tensor], tower: dict, stage: int) -> list[Comparison]:
    stock = MODELS.build({'type': 'CLIPTower', **tower})
    text = stock.detach_text_tower().state_dict()
    image = {_IMAGE + key: value for key, value in stock.visual.state_dict().items()}
    blocks = {_TEXT + k: v for k, v in text.items() if k.startswith('transformer.')}
    others = {_TEXT + k: v for k, v in text.items() if not k.startswith('transformer.')}
    return [
        _compare('CLIP image tower', state, image, trained=True),
        _compare('CLIP text blocks', state, blocks, trained=False),
        _compare('CLIP embeddings, final norm, projection', state, others, trained=stage == 2),
    ]


def _compare_dino(state: Mapping[str, Tensor], tower: dict, stage: int) -> list[Comparison]:
    vit = MODELS.build({'type': 'DINOTower', **tower}).vit
    last = f'{_DINO}blocks.{len(vit.blocks) - 1}.'
    stock = {_DINO + key: value for key, value in vit.state_dict().items()}
    end = {key: value for key, value in stock.items() if key.startswith(last)}
    rest = {key: value for key, value in stock.items() if key not in end}
    return [
        _compare('DINO all but its last block', state, rest, trained=False),
        _compare('DINO last block', state, end, trained=stage == 2),
    ]


def _compare(
    part: str, state: Mapping[str, Tensor], stock: Mapping[str, Tensor], trained: bool
) -> Comparison:
    differences = {
        key: float((state[key].double() - value.double()).abs().max())
        for key, value in stock.items()
        if not torch.equal(state[key].double(), value.double())
    }
    largest = max(differences.values(), default=0.0)
    equal = len(stock) - len(differences)
    return Comparison(part, trained, equal, len(stock), largest, tuple(differences))
