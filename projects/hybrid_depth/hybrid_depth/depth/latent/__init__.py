"""Parts of models that decode metric depth from a latent per image cell (WorDepth, VLE)."""

from .decoder import LatentDepthDecoder
from .exchanged_attention import ExchangedAttention
from .prior_image import embodied_image
from .sampler import ConditionalSampler, MetricHead
from .text_vae import TextVAE

__all__ = [
    'ConditionalSampler',
    'ExchangedAttention',
    'LatentDepthDecoder',
    'MetricHead',
    'TextVAE',
    'embodied_image',
]
