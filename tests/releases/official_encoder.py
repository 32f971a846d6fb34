"""The full-size hybrid encoder with weights of docs/reference/golden.md, "Recipe"."""

from functools import cache

import torch

from hybrid_depth.depth.encoders import HybridDepthEncoder
from hybrid_depth.releases.hybrid_encoder_keys import convert_encoder_keys
from tests.golden import recipe

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
    return recipe.shapes('hybrid_depth_keys')[part]


def official_weights(part: str) -> dict[str, torch.Tensor]:
    """The recipe's weights for one file of the release, in the release's layout."""
    drawn = {key: recipe.tensor(key, shape) for key, shape in official_shapes(part).items()}
    return {key: v.float() if v.is_floating_point() else v for key, v in drawn.items()}


def official_images() -> torch.Tensor:
    """The input of the golden encoder and decoder arrays, (2, 3, 224, 672)."""
    return recipe.image('hybrid_depth.depth', (2, 3, 224, 672))


@cache
def official_encoder() -> HybridDepthEncoder:
    """Stage 2 of the release: RN50 and ViT-B/14, 256 learned tokens, no input normalisation.

    In eval mode, with the release's trainable parts. Shared by all tests: do not change it.
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
