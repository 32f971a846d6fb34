"""Vision-Language Embodiment: WorDepth with the embodied depth of the scene as a second input."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from mmengine.registry import MODELS
from torch import Tensor, nn

from ...errors import DepthDataError
from ...geometry.camera_view import CameraView
from ..latent import ExchangedAttention, embodied_image
from ..latent.decoder import resize
from .wordepth import WorDepth

Fusion = Literal['concat', 'attention']


@MODELS.register_module()
class VisionLanguageEmbodiment(WorDepth):
    """Metric depth from an image, its embodied depth and text (arXiv 2503.16535).

    `WorDepth` whose image maps are fused with the maps of a second encoder, on the embodied depth
    (`embodied_image`). No code was released, and the sources leave much open
    (docs/reference/wordepth.md, "Vision-Language Embodiment"); our choices:

    - Encoders: published is a Transformer for each input; any `DepthEncoder` here.
    - `fusion='attention'`: exchanged queries (`ExchangedAttention`) on the coarsest map, whose
      cells are few enough for all pairs; on the finer maps, where the metric detail of the prior
      is, a 1x1 convolution of both maps, added to the image's. `fusion='concat'`: that convolution
      on all maps; the ablation's step between "no prior" and "fusion".
    - Text: WorDepth's; object sentences double `text_width` (`LoadText`).
    - Training: one optimiser and WorDepth's alternation, with its detached text instead of
      frozen parts; the second step's loss has WorDepth's divergence, which the paper does not list
      (set `divergence_weight`).
    - The text branch uses neither image nor prior.

    The axes of the paper's ablation are `prior_encoder`, `fusion`, `text_width`, the object
    sentences of `LoadText`, `skips` and `text_probability`.

    Args:
        encoder: depth encoder config of the image.
        prior_encoder: depth encoder config of the embodied depth's three channels in [0, 1], with
            as many maps as the decoder uses, no mean and std; None: no prior.
        fusion: 'attention' or 'concat'.
        attention_width: channels of queries, keys and values.
        **kwargs: passed to `WorDepth`.

    Raises:
        ValueError: unknown fusion, or a prior encoder with too few maps.
    """

    def __init__(
        self,
        encoder: dict,
        prior_encoder: dict | None,
        fusion: Fusion = 'attention',
        attention_width: int = 128,
        **kwargs,
    ) -> None:
        super().__init__(encoder, **kwargs)
        if fusion not in get_args(Fusion):
            raise ValueError(f'fusion: expected one of {get_args(Fusion)}, got {fusion!r}')
        self.prior_encoder = self.fusions = None
        if prior_encoder is None:
            return
        self.prior_encoder = MODELS.build(prior_encoder)
        levels = self.decoder.levels
        channels, priors = self.decoder.channels, self.prior_encoder.out_channels[-levels:]
        if len(priors) != levels:
            raise ValueError(
                f'prior_encoder: expected at least {levels} maps, as many as the decoder uses, got '
                f'{len(priors)} of {type(self.prior_encoder).__name__}'
            )
        self.fusions = nn.ModuleList(map(_Concatenation, channels, priors))
        if fusion == 'attention':
            self.fusions[-1] = ExchangedAttention(channels[-1], priors[-1], attention_width)
        self.to(memory_format=self.memory_format)

    def maps(self, images: Tensor, view: CameraView | None) -> list[Tensor]:
        """Image maps fused with those of the embodied depth, finest first.

        Args:
            images: (B, 3, H, W), RGB in [0, 1].
            view: camera of the images with `physics_depth`, if there is a prior.

        Raises:
            DepthDataError: no embodied depth; a map that is invalid everywhere is a valid input.
        """
        maps = super().maps(images, view)
        if self.prior_encoder is None:
            return maps
        if view is None or view.physics_depth is None:
            raise DepthDataError(
                'VisionLanguageEmbodiment: expected the embodied depth of the images, '
                'CameraView(cam2img, size, physics_depth=...), got none; add LoadDepthMaps to the '
                'pipeline and depth_folders=dict(physics_depth=FOLDER) to the data set, or set '
                'prior_encoder=None'
            )
        image = embodied_image(view.physics_depth.to(images), max_depth=self.max_depth)
        priors = self.prior_encoder(image).joined()[-len(maps) :]
        return [
            fuse(level, resize(prior, level.shape[-2:]))
            for fuse, level, prior in zip(self.fusions, maps, priors, strict=True)
        ]


class _Concatenation(nn.Module):
    """An image map plus a 1x1 convolution of it and the prior's map."""

    def __init__(self, channels: int, prior_channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels + prior_channels, channels, 1)

    def forward(self, image: Tensor, prior: Tensor) -> Tensor:
        return image + self.mix(torch.cat([image, prior], dim=1))
