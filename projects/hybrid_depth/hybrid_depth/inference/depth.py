"""Depth inference on images and videos."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from ..calibration_checks import check_camera
from ..depth.estimators import DepthEstimator
from ..depth.estimators.feature_memory import FeatureMemory
from ..depth.transforms.resize import resize_cam2img
from ..errors import ConfigError, DepthDataError
from ..foundation.images import to_tensor
from ..geometry import DepthMap
from .frame_windows import frame_windows
from .image_streams import Images, ImageStream, NamedImage


@dataclass(frozen=True)
class DepthResult:
    """Predicted depth of one image.

    Attributes:
        name: file name of the image without suffix, with a number for video frames.
        image: (H, W, 3) uint8 RGB, the input image.
        disparity: (H, W) float32, at the image size.
        scale: metres per unit of the model's depth, None if unknown.
        frames: frames that the depth was predicted from; (0,) is the image alone.

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
    frames: tuple[int, ...] = (0,)

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
    cam2img: np.ndarray | None = None,
    frames: Sequence[int] | None = None,
) -> list[DepthResult]:
    """Predict the depth of images.

    A model of several frames (`ManyDepth`, `MonoViFI`) gets each image with its neighbours, as far
    as there are any: the images are then those of a video, in order.

    Args:
        model: from `init_depth_model`.
        images: path of an image, a folder or a video, an RGB array, or a list, see `ImageStream`.
        size: (H, W) of the network input; None for the training size of the model, or the image
            size if unknown.
        scale: metres per unit of the model's depth (5.4 for Monodepth2 trained on KITTI stereo);
            None for relative depth.
        cam2img: (3, 3) intrinsics, pixels of the images; `ManyDepth` needs them for several frames.
        frames: frames to predict from, instead of all that the model uses; (0,) for each image
            alone.

    Returns:
        One result per image, at the image size. `stream_depth` keeps only one batch in memory.

    Raises:
        FileNotFoundError: a path does not exist.
        DepthDataError: not an image, a damaged one, or implausible intrinsics; with intrinsics,
            images of several sizes.
        ConfigError: a scale for a model whose depth is metric, several frames without intrinsics,
            or frames that the model does not use.

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
    return list(stream_depth(model, images, size, scale, 1, cam2img, frames))


@torch.no_grad()
def stream_depth(
    model: DepthEstimator,
    images: Images | ImageStream,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
    batch_size: int = 1,
    cam2img: np.ndarray | None = None,
    frames: Sequence[int] | None = None,
) -> Iterator[DepthResult]:
    """Iterator of results, otherwise as `infer_depth`.

    Args:
        batch_size: images per forward pass. With 1, models of several frames encode every image
            once.

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
    frames = _frames_of(model, frames, cam2img)
    stream = stream if cam2img is None else _of_one_camera(stream, cam2img)
    device = next(model.parameters()).device
    memory = None
    if batch_size == 1 and len(frames) > 1:
        memory = FeatureMemory(len(frames) + 1)  # models may take them out of order
    for batch in _batches(frame_windows(stream, frames), size, batch_size):
        used = tuple(batch[0])
        inputs = {
            i: torch.stack([to_tensor(_resized(item[i].image, size)) for item in batch]).to(device)
            for i in used
        }
        prediction = model.predict(inputs, _cameras(cam2img, batch, size, device), memory)
        for item, values in zip(batch, prediction.values, strict=True):
            name, image = item[0].name, np.asarray(item[0].image)
            yield depth_result(name, image, DepthMap(values[None], prediction.kind), scale, used)


def depth_result(
    name: str,
    image: np.ndarray,
    prediction: DepthMap,
    scale: float | None = None,
    frames: tuple[int, ...] = (0,),
) -> DepthResult:
    """Result of one image from a prediction, resized to the image size.

    Args:
        name, image, scale, frames: see `DepthResult`.
        prediction: map (1, 1, h, w).

    Raises:
        ConfigError: a scale for metric depth.
    """
    if prediction.kind == 'metric':
        if scale is not None:
            raise ConfigError(
                f'expected no scale for a model whose depth is metric, got {scale}; omit it'
            )
        scale = 1.0
    disparity = prediction.to('disparity').values.float().cpu()
    # Half-pixel centres, as in the evaluation.
    resized = F.interpolate(disparity, image.shape[:2], mode='bilinear')[0, 0]
    return DepthResult(name, image, resized.numpy(), scale, frames)


def _frames_of(
    model: DepthEstimator, frames: Sequence[int] | None, cam2img: np.ndarray | None
) -> tuple[int, ...]:
    """Frames to predict from."""
    frames = model.frames if frames is None else tuple(frames)
    if 0 not in frames or not set(frames) <= set(model.frames):
        raise ConfigError(
            f'expected frames out of {model.frames}, which {type(model).__name__} uses, with 0 '
            f'among them, got {frames}'
        )
    if len(frames) > 1 and cam2img is None and model.needs_cameras:
        raise ConfigError(
            f'expected intrinsics to predict from frames {frames}, got none: give cam2img '
            '(--intrinsics FX FY CX CY), or frames=(0,) (--frames 0) for each image alone'
        )
    return frames


def _of_one_camera(stream: Iterable[NamedImage], cam2img: np.ndarray) -> Iterator[NamedImage]:
    """The stream, checked to be of images to which the intrinsics apply.

    Raises:
        DepthDataError: images of several sizes, or intrinsics of another image size.
    """
    first = None
    for item in stream:
        size = item.image.size
        if first is None:
            first = size
            check_camera(cam2img, f'intrinsics for {item.name}', size)
        if size != first:
            raise DepthDataError(
                f'{item.name}: expected {first[0]}x{first[1]} pixels as the images before, to '
                f'which the intrinsics apply, got {size[0]}x{size[1]}; predict images of one '
                'camera at a time'
            )
        yield item


def _cameras(
    cam2img: np.ndarray | None,
    batch: Sequence[dict[int, NamedImage]],
    size: tuple[int, int] | None,
    device: torch.device,
) -> torch.Tensor | None:
    """(B, 3, 3) intrinsics at the size of the network."""
    if cam2img is None:
        return None
    for item in batch:
        check_camera(cam2img, f'intrinsics of {item[0].name}', item[0].image.size)
    matrices = [
        cam2img if size is None else resize_cam2img(cam2img, item[0].image.size, size[::-1])
        for item in batch
    ]
    return torch.from_numpy(np.stack(matrices)).float().to(device)


def _batches(
    windows: Iterable[dict[int, NamedImage]], size: tuple[int, int] | None, batch_size: int
) -> Iterator[list[dict[int, NamedImage]]]:
    """Batches with the same frames; without a network size, of images of one size."""
    batch: list[dict[int, NamedImage]] = []
    for window in windows:
        fits = not batch or (
            window.keys() == batch[0].keys()
            and (size is not None or window[0].image.size == batch[0][0].image.size)
        )
        if batch and (len(batch) == batch_size or not fits):
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _resized(image: Image.Image, size: tuple[int, int] | None) -> Image.Image:
    """Image at (H, W), resized as in training and evaluation (Pillow's LANCZOS)."""
    return image if size is None else image.resize(size[::-1], Image.Resampling.LANCZOS)
