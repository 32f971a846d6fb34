"""What every depth estimator can do."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import torch
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..encoders import DepthEncoder, DepthFeatures
from ..geometry.disparity import scale_disparity


def build_decoder(cfg: dict, encoder: DepthEncoder) -> torch.nn.Module:
    """Build a decoder that fits an encoder; `in_channels` and `in_strides` need not be given.

    Raises:
        ValueError: the decoder wants maps of other strides.
    """
    fitting = dict(
        in_channels=[encoder.text_channels + own for own in encoder.out_channels],
        in_strides=list(encoder.out_strides),
    )
    decoder_type = MODELS.get(cfg['type'])
    taken = inspect.signature(decoder_type).parameters if decoder_type else fitting
    fitting = {name: value for name, value in fitting.items() if name in taken}
    decoder = MODELS.build({**fitting, **cfg})
    wanted = getattr(decoder, 'in_strides', encoder.out_strides)
    if list(wanted) != list(encoder.out_strides):
        raise ValueError(
            f'{type(decoder).__name__} expected maps of strides {wanted}, got '
            f'{encoder.out_strides} from {type(encoder).__name__}; leave in_strides out of the '
            'decoder config'
        )
    return decoder


def full_precision(x: Tensor) -> Tensor:
    """float16 and bfloat16 to float32; float32 and float64 as they are."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


class DepthEstimator(BaseModel):
    """Encoder and decoder: RGB to disparity and depth. Training is up to the subclass.

    Disparity here is 1 / max_depth + (1 / min_depth - 1 / max_depth) * decoder output, depth its
    reciprocal. Unless the loss fixes the scale, both hold up to one factor an image.

    Args:
        encoder: depth encoder config.
        decoder: depth decoder config; channels and strides are filled in from the encoder.
        min_depth, max_depth: range of depths.
        channels_last: keep weights and images in channels-last memory order.
        data_preprocessor: `DepthDataPreprocessor` by default.
    """

    def __init__(
        self,
        encoder: dict,
        decoder: dict,
        min_depth: float = 0.1,
        max_depth: float = 100.0,
        channels_last: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = data_preprocessor or dict(type='DepthDataPreprocessor')
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.encoder = MODELS.build(encoder)
        self.decoder = build_decoder(decoder, self.encoder)
        self.min_depth, self.max_depth = min_depth, max_depth
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format

    def forward(
        self,
        inputs: dict,
        data_samples: Sequence[BaseDataElement] | None = None,
        mode: str = 'tensor',
    ) -> dict | list[BaseDataElement]:
        """mmengine's entry.

        Args:
            inputs: of `DepthDataPreprocessor`.
            data_samples: one per item.
            mode: 'loss', 'predict', or 'tensor' for the decoder's output {scale: (B, 1, h, w)}.

        Raises:
            ValueError: any other mode.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.decode(inputs['images'][0])
        raise ValueError(f"mode: expected 'loss', 'predict' or 'tensor', got {mode!r}")

    def loss(self, inputs: dict, data_samples: Sequence[BaseDataElement] | None = None) -> dict:
        """Loss terms by name; entries with 'loss' in their name are summed, the others logged."""
        raise NotImplementedError

    def predict(
        self, inputs: dict, data_samples: Sequence[BaseDataElement] | None = None
    ) -> list[BaseDataElement]:
        """Data samples with `pred_disparity` (1, H, W) and the metainfo kind='disparity'."""
        disparity = self.disparity(inputs['images'][0])
        samples = data_samples or [BaseDataElement() for _ in disparity]
        for sample, prediction in zip(samples, disparity, strict=True):
            sample.set_field(prediction, 'pred_disparity')
            sample.set_metainfo(dict(kind='disparity'))
        return list(samples)

    def encode(self, images: Tensor) -> DepthFeatures:
        """Images (B, 3, H, W), RGB in [0, 1] -> the encoder's features."""
        return self.encoder(images.contiguous(memory_format=self.memory_format))

    def decode(self, images: Tensor) -> dict[int, Tensor]:
        """Images (B, 3, H, W), RGB in [0, 1] -> the decoder's output at every scale."""
        return self.decoder(self.encode(images), tuple(images.shape[-2:]))

    def scale(self, output: Tensor) -> Tensor:
        """Decoder output -> disparity between 1 / max_depth and 1 / min_depth."""
        return scale_disparity(output, self.min_depth, self.max_depth)

    def disparity(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W), RGB in [0, 1] -> disparity (B, 1, H, W)."""
        return self.scale(full_precision(self.decode(images)[0]))

    def depth(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W), RGB in [0, 1] -> depth (B, 1, H, W)."""
        return 1 / self.disparity(images)
