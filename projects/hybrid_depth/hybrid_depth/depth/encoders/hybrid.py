"""Hybrid depth encoder: fused DINO and CLIP maps and their similarity to depth prompts."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from ...foundation import DepthPrompts, LanguageHead
from .base import DepthEncoder, DepthFeatures
from .freezing import eval_frozen, is_frozen, set_trainable
from .stage_chain import StageChain


@MODELS.register_module()
class HybridDepthEncoder(DepthEncoder):
    """Encoder of Hybrid-depth (ICCV 2025, arXiv 2510.09320): CLIP and DINO maps fused on one grid.

    Each CLIP map is projected to `align_channels` by a 1x1 convolution (unless the channels are
    equal), resized to DINO's patch grid (legacy nearest: source = floor(out * in / size)), and
    concatenated after the DINO map of the same level: [DINO, CLIP]
    (docs/reference/hybrid_depth.md, "Stage 2 encoder"). With a language part, the similarity of
    every fused pixel to N depth prompts is added (docs/reference/hybrid_depth.md,
    "Depth sentences").

    Any input size. DINO resizes the image to whole patches (see `DINOTower`), a CLIP ResNet does
    not. Each tower normalises its input; in the release both use 'imagenet' in stage 1, and
    mean='none', std='none' in stage 2.

    Args:
        clip: `CLIPTower` config, or None for DINO maps only.
        dino: `DINOTower` config, or None for the aligned CLIP maps only, at CLIP's strides or on
            the grid of `clip_stride`.
        text: `DepthPrompts` config, e.g. dict(num_tokens=256); None for no language part.
        align_channels: channels of a CLIP map before fusion.
        clip_stride: without DINO, input pixels per cell of the grid to which all CLIP maps are
            resized, for decoders of one grid such as DPT's; None for CLIP's own strides.
        trainable: see `set_trainable`. Frozen towers run without gradient and with fixed BatchNorm
            statistics. The official stage 2 trains 'clip.visual', 'align',
            'dino.vit.blocks.11', 'language.prompts', 'language.tower.token_embedding',
            'language.tower.positional_embedding', 'language.tower.ln_final' and
            'language.tower.text_projection'.

    Raises:
        ValueError: no tower, language without CLIP, towers with different numbers of maps,
            `clip_stride` with DINO, or a `trainable` prefix that matches nothing.
    """

    def __init__(
        self,
        clip: dict | None,
        dino: dict | None,
        text: dict | None = None,
        align_channels: int = 256,
        clip_stride: int | None = None,
        trainable: str | Sequence[str] = 'all',
    ) -> None:
        super().__init__()
        if clip is None and (dino is None or text is not None):
            raise ValueError('expected a clip tower, or only dino without text; got clip=None')
        if clip_stride is not None and dino is not None:
            raise ValueError("clip_stride: expected None, as dino's stride is that of all maps")
        self.clip_stride = clip_stride
        self.clip = None if clip is None else MODELS.build({'type': 'CLIPTower', **clip})
        self.dino = None if dino is None else MODELS.build({'type': 'DINOTower', **dino})
        self.align = self.language = None
        if self.clip is not None:
            self._add_clip_parts(text, align_channels)
        self.out_channels, self.out_strides = self._describe(align_channels)
        set_trainable(self, trainable)
        self.train()

    def _add_clip_parts(self, text: dict | None, align_channels: int) -> None:
        self.align = nn.ModuleList(
            nn.Identity() if channels == align_channels else nn.Conv2d(channels, align_channels, 1)
            for channels in self.clip.out_channels
        )
        if text is None:
            self.clip.drop_text_tower()
            return
        tower = self.clip.detach_text_tower()
        self.language = LanguageHead(tower, DepthPrompts(width=tower.width, **text))
        self.text_channels = len(self.language.matrix)

    def _describe(self, align_channels: int) -> tuple[list[int], list[int]]:
        if self.dino is None:
            strides = self.clip.out_strides
            if self.clip_stride is not None:
                strides = [self.clip_stride] * len(strides)
            return [align_channels] * len(self.align), strides
        extra = 0
        if self.clip is not None:
            extra = align_channels
            if len(self.clip.out_channels) != len(self.dino.out_channels):
                raise ValueError(
                    f'expected as many DINO taps as CLIP maps ({len(self.clip.out_channels)}), '
                    f'got {len(self.dino.out_channels)}: set taps in dino'
                )
        return [channels + extra for channels in self.dino.out_channels], self.dino.out_strides

    def forward(self, images: Tensor) -> DepthFeatures:
        """Images (B, 3, H, W), RGB float in [0, 1] -> fused maps, logits, DINO's class token."""
        return self._compare(self.fuse(images))

    def chain(self) -> StageChain:
        """The CLIP ResNet: DINO sees one image at a time. See `DepthEncoder.chain`.

        Raises:
            TypeError: the CLIP tower is none, or a transformer.
        """
        stages = None if self.clip is None else self.clip.stages()
        if stages is None:
            return super().chain()
        prepare = self.clip.normalize
        return StageChain(prepare, stages, self.clip.out_channels, self.clip.out_strides)

    def gather(self, images: Tensor, maps: list[Tensor]) -> DepthFeatures:
        """Images as in `forward` and CLIP's maps -> fused maps, logits, DINO's class token."""
        return self._compare(self._fuse(images, maps))

    def fuse(self, images: Tensor) -> DepthFeatures:
        """As `forward`, without text logits."""
        clip = [] if self.clip is None else list(_run(self.clip, images).values())
        return self._fuse(images, clip)

    def _compare(self, features: DepthFeatures) -> DepthFeatures:
        if self.language is not None:
            features.text_logits = self.language(features.maps)
        return features

    def _fuse(self, images: Tensor, clip: list[Tensor]) -> DepthFeatures:
        maps, class_token = [], None
        if self.dino is not None:
            maps, class_tokens = _run(self.dino, images)
            class_token = class_tokens[-1]
        if self.clip is not None:
            clip = [align(feature) for align, feature in zip(self.align, clip, strict=True)]
            if maps:
                pairs = zip(maps, clip, strict=True)
                maps = [torch.cat([level, _on_grid(x, level.shape[-2:])], 1) for level, x in pairs]
            else:
                maps = clip if self.clip_stride is None else self._on_common_grid(clip, images)
        return DepthFeatures(maps, class_token=class_token)

    def _on_common_grid(self, maps: list[Tensor], images: Tensor) -> list[Tensor]:
        size = [max(1, round(int(n) / self.clip_stride)) for n in images.shape[-2:]]
        return [_on_grid(x, size) for x in maps]

    def class_token(self, images: Tensor) -> Tensor | None:
        """Images as in `forward` -> DINO's class token (B, C), without running CLIP."""
        return None if self.dino is None else _run(self.dino, images)[1][-1]

    def drop_text_tower(self) -> None:
        """Freeze the text matrix and free the text tower (63.7 M parameters at full size)."""
        if self.language is not None:
            self.language.drop_text_tower()

    def train(self, mode: bool = True) -> 'HybridDepthEncoder':
        """Set the mode; frozen parts stay in eval mode."""
        super().train(mode)
        if mode:
            eval_frozen(self)
        return self


def _run(tower: nn.Module, images: Tensor) -> object:
    with torch.set_grad_enabled(torch.is_grad_enabled() and not is_frozen(tower)):
        return tower(images)


def _on_grid(x: Tensor, size: Sequence[int]) -> Tensor:
    """Map on another grid; 1x1 convolution and nearest resize commute."""
    return F.interpolate(x, size=tuple(size), mode='nearest')
