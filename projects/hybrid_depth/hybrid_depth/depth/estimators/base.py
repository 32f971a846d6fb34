"""Base class of depth estimators."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...errors import DepthDataError, MissingInputError
from ...geometry.camera_view import CameraView
from ...geometry.depth_map import DepthMap
from ...geometry.disparity import scale_disparity
from ..encoders import DepthEncoder, DepthFeatures
from .feature_memory import FeatureMemory

Cameras = Tensor | CameraView | None
STEREO = 's'  # id of the other camera of a pair among the frames


def build_decoder(cfg: dict, encoder: DepthEncoder) -> torch.nn.Module:
    """Build a decoder for an encoder; `in_channels` and `in_strides` are filled in.

    Raises:
        ValueError: the decoder expects maps of other strides.
    """
    fitting = dict(
        in_channels=[encoder.text_channels + width for width in encoder.out_channels],
        in_strides=list(encoder.out_strides),
    )
    decoder_type = MODELS.get(cfg['type'])
    taken = inspect.signature(decoder_type).parameters if decoder_type else fitting
    fitting = {name: value for name, value in fitting.items() if name in taken}
    decoder = MODELS.build({**fitting, **cfg})
    expected = getattr(decoder, 'in_strides', encoder.out_strides)
    if list(expected) != list(encoder.out_strides):
        raise ValueError(
            f'{type(decoder).__name__} expected maps of strides {expected}, got '
            f'{encoder.out_strides} from {type(encoder).__name__}; remove in_strides from the '
            'decoder config'
        )
    return decoder


def full_precision(x: Tensor) -> Tensor:
    """Cast float16 and bfloat16 to float32; float32 and float64 are unchanged."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


class DepthEstimator(BaseModel):
    """Base class of depth estimators of an encoder and a decoder; subclasses define the loss.

    Frames are dictionaries of images (B, 3, H, W), RGB in [0, 1]: 0 is the current frame, -1, 1,
    ... are its neighbours in time, and 's' is the other camera of a stereo pair. Disparity is
    1 / max_depth + (1 / min_depth - 1 / max_depth) * decoder output.

    Args:
        encoder: depth encoder config; None in subclasses that need none.
        decoder: depth decoder config; channels and strides are filled in from the encoder. None in
            subclasses that need none.
        min_depth, max_depth: depth range.
        channels_last: use channels-last memory format for weights and images.
        data_preprocessor: `DepthDataPreprocessor` by default.

    Attributes:
        needs_cameras: `predict` from several frames needs intrinsics.
        weights_by_name: the weights come with the config, not from a checkpoint.
    """

    needs_cameras = False
    weights_by_name = False

    def __init__(
        self,
        encoder: dict | None,
        decoder: dict | None,
        min_depth: float = 0.1,
        max_depth: float = 100.0,
        channels_last: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = data_preprocessor or dict(type='DepthDataPreprocessor')
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.encoder = None if encoder is None else MODELS.build(encoder)
        self.decoder = None if decoder is None else build_decoder(decoder, self.encoder)
        self.min_depth, self.max_depth = min_depth, max_depth
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format

    def forward(
        self,
        inputs: dict,
        data_samples: Sequence[BaseDataElement] | None = None,
        mode: str = 'tensor',
    ) -> dict | list[BaseDataElement]:
        """Entry point of mmengine.

        Args:
            inputs: output of `DepthDataPreprocessor`.
            data_samples: one per item.
            mode: 'loss'; 'predict' for data samples with `pred_disparity` or `pred_depth`
                (1, H, W) and the metainfo `kind` of `DepthMap`, and the same with the names of
                other `predictions` behind; 'tensor' for the decoder's output
                {scale: (B, 1, h, w)}.

        Raises:
            ValueError: any other mode.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            samples = list(data_samples or [BaseDataElement() for _ in inputs['images'][0]])
            for name, prediction in self.predictions(inputs).items():
                add_prediction(samples, prediction, name)
            return samples
        if mode == 'tensor':
            return self.decode(inputs['images'][0], self.view(inputs))
        raise ValueError(f"mode: expected 'loss', 'predict' or 'tensor', got {mode!r}")

    def loss(self, inputs: dict, data_samples: Sequence[BaseDataElement] | None = None) -> dict:
        """Loss terms by name; entries with 'loss' in their name are summed, the others logged."""
        raise NotImplementedError

    def predict(
        self,
        frames: dict[int | str, Tensor],
        cameras: Cameras = None,
        memory: FeatureMemory | None = None,
    ) -> DepthMap:
        """Depth of frame 0; single-frame models use no other frame.

        Args:
            frames: images by frame, see the class.
            cameras: (B, 3, 3) intrinsics of the images, pixels, or their `CameraView` with what an
                encoder with a prior needs besides; None if unknown.
            memory: of the stream that the frames are from, for models of several frames.

        Returns:
            Maps (B, 1, H, W) of the image size. In this class of kind ``disparity``: known up to
            one factor per image, unless the loss determines the scale.

        Raises:
            MissingInputError: frame 0 is missing.
            ValueError: an encoder with a prior, and no cameras.
        """
        self.require_current_frame(frames)
        return DepthMap(self.disparity(frames[0], as_view(cameras, frames[0])), 'disparity')

    def require_current_frame(self, frames: dict[int | str, Tensor]) -> None:
        """Raises MissingInputError if frame 0 is missing."""
        if 0 not in frames:
            raise MissingInputError(
                f'{type(self).__name__}.predict: expected the current frame as frames[0], got '
                f'frames {list(frames)}'
            )

    def predictions(self, inputs: dict) -> dict[str, DepthMap]:
        """What is scored: under '' the prediction, under other names other modes of the model."""
        return {'': self.predict(inputs['images'], self.view(inputs))}

    def view(self, inputs: dict) -> CameraView | None:
        """Camera of frame 0 of the inputs, with its embodied depth; None without intrinsics."""
        if 'cam2img' not in inputs:
            return None
        size = tuple(inputs['images'][0].shape[-2:])
        return CameraView(inputs['cam2img'], size, physics_depth=inputs.get('physics_depth'))

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames that `predict` uses where they are given."""
        return (0,)

    def encode(self, images: Tensor, view: CameraView | None = None) -> DepthFeatures:
        """Images (B, 3, H, W), RGB in [0, 1] -> the encoder's features.

        Args:
            view: camera of the images, for an encoder with a prior.
        """
        features = self.encoder.tower(images.contiguous(memory_format=self.memory_format))
        return self.encoder.add_prior(features, view)

    def decode(self, images: Tensor, view: CameraView | None = None) -> dict[int, Tensor]:
        """Arguments of `encode` -> the decoder's output at every scale."""
        return self.decoder(self.encode(images, view), tuple(images.shape[-2:]))

    def scale(self, output: Tensor) -> Tensor:
        """Decoder output -> disparity between 1 / max_depth and 1 / min_depth."""
        return scale_disparity(output, self.min_depth, self.max_depth)

    def resized_disparity(self, output: Tensor, size: Sequence[int]) -> Tensor:
        """Decoder output (B, 1, h, w) -> disparity (B, 1, *size)."""
        resized = F.interpolate(output, size=tuple(size), mode='bilinear', align_corners=False)
        return self.scale(resized)

    def disparity(self, images: Tensor, view: CameraView | None = None) -> Tensor:
        """Arguments of `encode` -> disparity (B, 1, H, W), float32 or float64."""
        return self.scale(full_precision(self.decode(images, view)[0]))


def as_view(cameras: Cameras, images: Tensor) -> CameraView | None:
    """Cameras given as intrinsics (B, 3, 3) of images, or as a view."""
    if cameras is None or isinstance(cameras, CameraView):
        return cameras
    return CameraView(cameras, tuple(images.shape[-2:]))


def add_prediction(samples: Sequence[BaseDataElement], prediction: DepthMap, name: str) -> None:
    """Give data samples, one per image, the predicted map and its kind."""
    field = 'pred_disparity' if prediction.kind == 'disparity' else 'pred_depth'
    field = f'{field}_{name}' if name else field
    for sample, values in zip(samples, prediction.values, strict=True):
        sample.set_field(values, field)
        sample.set_metainfo(dict(kind=prediction.kind))


def check_frames(model: str, frames: Mapping, wanted: Sequence[int], frame_ids: str) -> None:
    """Check that a model of several frames gets them, in one size.

    Args:
        model: its name.
        frames: images by frame.
        wanted: frames that it needs.
        frame_ids: what the data set's option has to be.

    Raises:
        MissingInputError: a frame is missing.
        DepthDataError: frames of several sizes.
    """
    if set(wanted) - set(frames):
        raise MissingInputError(
            f'{model}: expected frames {tuple(wanted)}, got {list(frames)}; set the '
            f"dataset's frame_ids to {frame_ids}"
        )
    # numbers also while torch.jit traces, whose sizes are tensors
    sizes = {i: tuple(int(side) for side in frames[i].shape) for i in wanted}
    if len(set(sizes.values())) > 1:
        raise DepthDataError(
            f'{model}: expected frames of one size, got {sizes}; resize them in the pipeline '
            '(ResizeFrames), or remove the images that are of another camera'
        )


def hidden_by_vehicle(inputs: dict, sources: Sequence[int | str]) -> Tensor | None:
    """(1 + S, B, 1, H, W) bool, pixels of the target and of each source in the `ego_mask`; None
    without one. The other camera of a stereo pair has a mask of its own, which is not known."""
    mask = inputs.get('ego_mask')
    if mask is None:
        return None
    return torch.stack([mask > 0 if i != STEREO else mask < 0 for i in (0, *sources)])


def check_cameras(model: str, cameras: Tensor | None) -> None:
    """Check that a model gets the intrinsics that it needs.

    Raises:
        MissingInputError: there are none.
    """
    if cameras is None:
        raise MissingInputError(
            f'{model}: expected intrinsics (B, 3, 3) in pixels of the images as cam2img, got none; '
            'give the data set `intrinsics`, or write an intrinsics.txt beside the images'
        )
