"""WorDepth: metric depth from an image and a caption of its scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...errors import MissingInputError
from ...geometry.camera_view import CameraView
from ...geometry.depth_map import DepthMap
from ...losses import SILogLoss, standard_normal_divergence
from ..latent import ConditionalSampler, MetricHead, TextVAE
from .base import Cameras, DepthEstimator, as_view, full_precision
from .feature_memory import FeatureMemory

Skips = Literal['none', 'image', 'all']
GT_DEPTH, TEXT = 'gt_depth', 'text'


@MODELS.register_module()
class WorDepth(DepthEstimator):
    """Metric depth from an image and the text of its scene (WorDepth, arXiv 2404.03635).

    The text gives the distribution N(mean, std^2) of the scene's latent (`TextVAE`); the image
    gives the deviation from it in every cell (`ConditionalSampler`), and latent = mean + std *
    deviation is decoded to metric depth. A training step takes one of two branches. In the text
    branch the deviation is drawn from N(0, 1) and the image is not used; loss: SILog and the
    divergence of the text's distribution from N(0, 1). In the image branch the text's distribution
    is an input; loss: SILog and the divergence of the deviations' distribution over the batch's
    cells from N(0, 1). Facts, and where the release differs from the paper:
    docs/reference/wordepth.md, "WorDepth".

    Not checkpoint-compatible with the release: the merging blocks of the decoder are ours
    (`MergeUp`).

    Args:
        encoder: depth encoder config. Published: Swin-L, `TimmDepthEncoder` of
            'swin_large_patch4_window12_384.ms_in22k'.
        decoder: `LatentDepthDecoder` config; channels are filled in from the encoder.
        text_width: width of the text features, 1024 of CLIP RN50 (twice that with object
            sentences, see `LoadText`). None: no text; the latent's distribution is N(0, 1), and
            `text_probability` must be 0.
        text_probability: share of training steps in the text branch. 0.5 in the released configs,
            0.01 in the paper; the default is the released one, of which reproductions exist.
        skips: branches whose decoder has the image's maps besides the latent. 'image': not the text
            branch, as in the paper (the default); 'none': neither, so the image reaches the depth
            only through the latent and the metric head, the later default of the release; 'all':
            both (the release's `--legacy`).
        detach_text: in the image branch, stop gradients at the text's mean and std, as released;
            False trains the text encoder by images too.
        divergence_weight: weight of both divergences, 1e-3 as released.
        min_depth, max_depth: range of valid targets, metres.
        **kwargs: passed to `DepthEstimator`.

    Raises:
        ValueError: a probability outside [0, 1], or above 0 without text; unknown `skips`.
    """

    def __init__(
        self,
        encoder: dict,
        decoder: dict | None = None,
        text_width: int | None = 1024,
        text_probability: float = 0.5,
        skips: Skips = 'image',
        detach_text: bool = True,
        divergence_weight: float = 1e-3,
        min_depth: float = 0.1,
        max_depth: float = 80.0,
        **kwargs,
    ) -> None:
        decoder = decoder or dict(type='LatentDepthDecoder')
        super().__init__(encoder, decoder, min_depth, max_depth, **kwargs)
        name = type(self).__name__
        if not 0 <= text_probability <= 1 or (text_width is None and text_probability > 0):
            raise ValueError(
                f'{name}: expected text_probability in [0, 1], and 0 without text '
                f'(text_width=None), got {text_probability} and text_width={text_width}'
            )
        if skips not in get_args(Skips):
            raise ValueError(f'{name}: expected skips in {get_args(Skips)}, got {skips!r}')
        latent = self.decoder.latent
        self.text_vae = None if text_width is None else TextVAE(text_width, latent=latent)
        self.sampler = ConditionalSampler(self.decoder.widths[0], latent)
        self.metric_head = MetricHead(self.decoder.channels[-1])
        self.silog = SILogLoss(min_depth=min_depth, max_depth=max_depth)
        self.text_probability, self.skips = text_probability, skips
        self.detach_text, self.divergence_weight = detach_text, divergence_weight
        self.to(memory_format=self.memory_format)

    def loss(
        self, inputs: dict, data_samples: Sequence[BaseDataElement] | None = None
    ) -> dict[str, Tensor]:
        """`loss_silog`, `loss_divergence`, and `text_branch`: 1 in a step of the text branch.

        Args:
            inputs: with `gt_depth` (B, 1, H, W) metres, 0 = none, and (with text) `text`
                (B, text_width); the network uses `augmented` if present.
            data_samples: unused.

        Raises:
            MissingInputError: one of them is missing.
        """
        target = self._required(inputs, GT_DEPTH, 'LoadDepthMaps and a data set with depth')
        images = inputs.get('augmented', inputs['images'])[0]
        text = None
        if self.text_vae is not None:
            text = self._required(inputs, TEXT, 'LoadText')
        text_branch = self.text_probability > 0 and torch.rand(()) < self.text_probability
        branch = self._text_branch if text_branch else self._image_branch
        depth, divergence = branch(images, self.view(inputs), text)
        with torch.autocast(images.device.type, enabled=False):
            return dict(
                loss_silog=self.silog(depth, target),
                loss_divergence=self.divergence_weight * divergence,
                text_branch=depth.new_tensor(float(text_branch)),
            )

    def predict(
        self,
        frames: dict[int | str, Tensor],
        cameras: Cameras = None,
        memory: FeatureMemory | None = None,
        text: Tensor | None = None,
    ) -> DepthMap:
        """Metric depth of frame 0, by the image branch.

        Args:
            frames: images by frame; only 0 is used.
            cameras, memory: see `DepthEstimator.predict`; for encoders with a prior and for
                subclasses.
            text: (B, text_width) features of the captions. Without them the latent's distribution
                is N(0, 1), towards which the divergence draws that of every text: a fall-back for
                images without captions, on which the sources say nothing.

        Raises:
            MissingInputError: frame 0 is missing.
        """
        self.require_current_frame(frames)
        depth, _ = self._image_branch(frames[0], as_view(cameras, frames[0]), text)
        return DepthMap(depth, 'metric')

    def predictions(self, inputs: dict) -> dict[str, DepthMap]:
        """The prediction, with the batch's text."""
        text = None if self.text_vae is None else inputs.get(TEXT)
        return {'': self.predict(inputs['images'], self.view(inputs), text=text)}

    def maps(self, images: Tensor, view: CameraView | None) -> list[Tensor]:
        """Arguments of `encode` -> the encoder's maps that the decoder uses, finest first."""
        return self.encode(images, view).joined()[-self.decoder.levels :]

    def _image_branch(
        self, images: Tensor, view: CameraView | None, text: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Depth (B, 1, H, W) and the divergence of the deviations, a scalar."""
        maps = self.maps(images, view)
        mean, std = self._distribution(text, images.shape[0], maps[0])
        if self.detach_text:
            mean, std = mean.detach(), std.detach()
        trunk = self.decoder.trunk(maps)
        deviation = self.sampler(trunk, mean.to(trunk), std.to(trunk))
        latent = mean[..., None, None] + std[..., None, None] * deviation
        finer = maps[:-2]
        if self.skips == 'none':
            trunk, finer = torch.zeros_like(trunk), [torch.zeros_like(level) for level in finer]
        depth = self.decoder(latent, trunk, finer, tuple(images.shape[-2:]))
        cells = full_precision(deviation).transpose(0, 1).flatten(1)
        divergence = standard_normal_divergence(cells.mean(1), cells.std(1).clamp(min=1e-6))
        return self.metric_head(depth, full_precision(maps[-1])), divergence

    def _text_branch(
        self, images: Tensor, view: CameraView | None, text: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Depth (B, 1, H, W) and the divergence of the text's distribution, its batch mean."""
        if self.skips == 'all':
            maps = self.maps(images, view)
            trunk, finer = self.decoder.trunk(maps), maps[:-2]
        else:
            trunk, *coarser = self._zeros(images)
            finer = coarser[::-1]
        mean, std = self._distribution(text, len(images), trunk)
        noise = torch.randn_like(trunk[:, :1].expand(-1, self.decoder.latent, -1, -1))
        latent = mean[..., None, None] + std[..., None, None] * noise
        depth = self.decoder(latent, trunk, finer, tuple(images.shape[-2:]))
        return depth, standard_normal_divergence(mean, std).mean()

    def _distribution(self, text: Tensor | None, batch: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and std (B, latent) of the text's distribution; N(0, 1) without text."""
        if self.text_vae is None or text is None:
            ones = torch.ones(batch, self.decoder.latent, device=like.device)
            return torch.zeros_like(ones), ones
        with torch.autocast(like.device.type, enabled=False):
            return self.text_vae(full_precision(text))

    def _zeros(self, images: Tensor) -> list[Tensor]:
        """Zero maps in place of the trunk and the finer maps, coarsest first.

        The image's sizes are those of the strides, rounded up, as convolutions with padding give;
        the encoder is not run.
        """
        strides = self.encoder.out_strides[-self.decoder.levels : -1]
        channels = [*self.decoder.channels[:-2], self.decoder.widths[0]]
        return [
            images.new_zeros(
                len(images), width, *(-(-side // stride) for side in images.shape[-2:])
            )
            for width, stride in zip(reversed(channels), reversed(strides), strict=True)
        ]

    def _required(self, inputs: dict, name: str, source: str) -> Tensor:
        if name not in inputs:
            raise MissingInputError(
                f'{type(self).__name__}: expected inputs[{name!r}], got {sorted(inputs)}; put '
                f'{source} into the pipeline'
            )
        return inputs[name]
