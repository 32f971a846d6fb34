"""Depth inference on images and videos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from ..depth.estimators import DepthEstimator
from ..foundation.images import to_tensor
from ..geometry import DepthMap
from .image_streams import Images, ImageStream, NamedImage


@dataclass(frozen=True)
class DepthResult:
    """Predicted depth of one image.

    Attributes:
        name: file name of the image without suffix, with a number for video frames.
        image: (H, W, 3) uint8 RGB, the input image.
        disparity: (H, W) float32, at the image size.
        scale: metres per unit of the model's depth, None if unknown.

    Example:
        >>> image = np.zeros((1, 2, 3), np.uint8)
        >>> result = DepthResult('name', image, np.array([[0.5, 0.25]], np.float32), scale=5.4)
        >>> result.depth.tolist(), result.kind, result.unit
        ([[10.8..., 21.6...]], 'metric', 'm')
    """

    name: str
    image: np.ndarray
    disparity: np.ndarray
    scale: float | None = None

    @property
    def depth(self) -> np.ndarray:
        """Depth map (H, W) float32, in `unit`."""
        return (self.scale or 1.0) / self.disparity

    @property
    def kind(self) -> str:
        """'metric', or 'relative': known up to one factor per image."""
        return 'relative' if self.scale is None else 'metric'

    @property
    def unit(self) -> str:
        """Unit of the depth: 'm', or 'unknown' if it is relative."""
        return 'unknown' if self.scale is None else 'm'


def infer_depth(
    model: DepthEstimator,
    images: Images,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
) -> list[DepthResult]:
    """Predict the depth of images.

    Args:
        model: from `init_depth_model`.
        images: path of an image, a folder or a video, an RGB array, or a list, see `ImageStream`.
        size: (H, W) of the network input; None for the training size of the model, or the image
            size if unknown.
        scale: metres per unit of the model's depth (5.4 for Monodepth2 trained on KITTI stereo);
            None for relative depth.

    Returns:
        One result per image, at the image size. `stream_depth` keeps only one batch in memory.

    Raises:
        FileNotFoundError: a path does not exist.
        DepthDataError: not an image, or a damaged one.
        ValueError: a scale for a model whose depth is metric.

    Example:
        >>> encoder = dict(type='TimmDepthEncoder', name='test_resnet')
        >>> decoder = dict(type='Monodepth2Decoder', in_strides=[2, 4, 8, 16, 32])
        >>> model = dict(type='Monodepth2', encoder=encoder, decoder=decoder, pose_net=None)
        >>> from mmengine.config import Config
        >>> from hybrid_depth.depth.estimators.init import init_depth_model
        >>> model = init_depth_model(Config(dict(model=model)))  # warns: random weights
        >>> (result,) = infer_depth(model, np.zeros((48, 80, 3), np.uint8), size=(64, 96))
        >>> result.depth.shape, result.kind
        ((48, 80), 'relative')
    """
    return list(stream_depth(model, images, size, scale))


@torch.no_grad()
def stream_depth(
    model: DepthEstimator,
    images: Images | ImageStream,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
    batch_size: int = 1,
) -> Iterator[DepthResult]:
    """Iterator of results, otherwise as `infer_depth`.

    Args:
        batch_size: images per forward pass.

    Example:
        >>> encoder = dict(type='TimmDepthEncoder', name='test_resnet')
        >>> decoder = dict(type='Monodepth2Decoder', in_strides=[2, 4, 8, 16, 32])
        >>> model = dict(type='Monodepth2', encoder=encoder, decoder=decoder, pose_net=None)
        >>> from mmengine.config import Config
        >>> from hybrid_depth.depth.estimators.init import init_depth_model
        >>> model = init_depth_model(Config(dict(model=model)))  # warns: random weights
        >>> video = [np.zeros((64, 96, 3), np.uint8)] * 2
        >>> [result.unit for result in stream_depth(model, video, scale=5.4)]
        ['m', 'm']
    """
    size = size or getattr(model, 'image_size', None)
    stream = images if isinstance(images, ImageStream) else ImageStream(images)
    for batch in _batches(stream, size, batch_size):
        inputs = torch.stack([to_tensor(_resized(item.image, size)) for item in batch])
        prediction = model.predict({0: inputs.to(next(model.parameters()).device)})
        for item, values in zip(batch, prediction.values, strict=True):
            single = DepthMap(values[None], prediction.kind)
            yield depth_result(item.name, np.asarray(item.image), single, scale)


def depth_result(
    name: str, image: np.ndarray, prediction: DepthMap, scale: float | None = None
) -> DepthResult:
    """Result of one image from a prediction, resized to the image size.

    Args:
        name, image, scale: see `DepthResult`.
        prediction: map (1, 1, h, w).

    Raises:
        ValueError: a scale for metric depth.
    """
    if prediction.kind == 'metric':
        if scale is not None:
            raise ValueError(
                f'expected no scale for a model whose depth is metric, got {scale}; omit it'
            )
        scale = 1.0
    disparity = prediction.to('disparity').values.float().cpu()
    # Half-pixel centres, as in the evaluation.
    resized = F.interpolate(disparity, image.shape[:2], mode='bilinear')[0, 0]
    return DepthResult(name, image, resized.numpy(), scale)


def _batches(
    stream: Iterable[NamedImage], size: tuple[int, int] | None, batch_size: int
) -> Iterator[list[NamedImage]]:
    """Batches of images; without a network size, batches have images of one size."""
    batch: list[NamedImage] = []
    for item in stream:
        fits = size is not None or not batch or item.image.size == batch[0].image.size
        if batch and (len(batch) == batch_size or not fits):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _resized(image: Image.Image, size: tuple[int, int] | None) -> Image.Image:
    """Image at (H, W), resized as in training and evaluation (Pillow's LANCZOS)."""
    return image if size is None else image.resize(size[::-1], Image.Resampling.LANCZOS)
