"""The full-size hybrid encoder with weights of docs/reference/golden.md, "Recipe"."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import torch

from hybrid_depth.encoders import HybridDepthEncoder
from hybrid_depth.encoders.official_keys import convert_encoder_keys
from tests.golden import weights

DATA = Path(__file__).parents[1] / 'golden' / 'data'
RELEASED_TRAINABLE = (
    'clip.visual',
    'align',
    'dino.vit.blocks.11',
    'language.prompts',
    'language.tower.token_embedding',
    'language.tower.positional_embedding',
    'language.tower.ln_final',
    'language.tower.text_projection',
)


def official_shapes(part: str) -> dict[str, list[int]]:
    """Key -> shape of one file of the release, e.g. 'stage2/encoder.pth'."""
    return json.loads((DATA / 'hybrid_depth_keys.json').read_text())[part]


def official_weights(part: str) -> dict[str, torch.Tensor]:
    """The recipe's weights for one file of the release, in its own layout."""
    drawn = weights.state_dict(official_shapes(part))
    return {
        key: torch.as_tensor(value if value.dtype == np.int64 else np.float32(value))
        for key, value in drawn.items()
    }


def official_images() -> torch.Tensor:
    """The input of the golden encoder and decoder arrays, (2, 3, 224, 672)."""
    return torch.from_numpy(weights.image('hybrid_depth.depth', (2, 3, 224, 672)))


@cache
def official_encoder() -> HybridDepthEncoder:
    """Stage 2 of the release: RN50 and ViT-B/14, 256 learned tokens, no input normalisation.

    In eval mode, with the released trainable parts. Shared by all tests: do not change it.
    """
    encoder = HybridDepthEncoder(
        clip=dict(name='RN50-quickgelu', mean='none', std='none'),
        dino=dict(name='vit_base_patch14_dinov2', mean='none', std='none'),
        text=dict(num_tokens=256),
        trainable=RELEASED_TRAINABLE,
    )
    converted, _ = convert_encoder_keys(official_weights('stage2/encoder.pth'))
    encoder.load_state_dict(converted)
    return encoder.eval()


def assert_golden(golden, name: str, tensor: torch.Tensor, limit: float) -> None:
    """Compare a full array with a stored, strided one, relative to its largest value.

    Limits: docs/reference/golden.md, "Tolerances".
    """
    if f'{name}.shape' in golden:
        assert tuple(tensor.shape) == tuple(golden[f'{name}.shape'])
        largest = golden[f'{name}.stats'][2]
        statistics = [tensor.double().mean(), tensor.double().std(correction=0)]
        off = np.abs(np.array(statistics) - golden[f'{name}.stats'][:2]).max()
        assert off < limit * largest, f'{name}: mean or deviation off by {off}'
        tensor = tensor[tuple(slice(None, None, int(s)) for s in golden[f'{name}.step'])]
    else:
        assert tuple(tensor.shape) == golden[name].shape
        largest = np.abs(golden[name]).max()
    error = np.abs(tensor.numpy() - golden[name]).max() / largest
    assert error < limit, f'{name}: {error:.2e} of the largest value, limit {limit}'
