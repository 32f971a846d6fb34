"""Depth models of `transformers` by name."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import torch
from mmengine.registry import MODELS
from torch import Tensor

from ....errors import ConfigError, MissingInputError
from ....foundation.transformers_models import load_pretrained
from ....geometry.depth_map import DepthKind, DepthMap
from ..base import Cameras, as_view, full_precision
from ..feature_memory import FeatureMemory
from .named import NEAREST, RANGE, NamedDepth

#: Kind of the output by `model_type`: docs/reference/teachers.md, "Families".
KINDS: dict[str, DepthKind] = dict(
    depth_anything='disparity',
    depth_pro='metric',
    dpt='disparity',
    glpn='metric',
    prompt_depth_anything='disparity',
    zoedepth='metric',
)


@MODELS.register_module()
class TransformersDepth(NamedDepth):
    """Depth foundation model of `transformers` (>= 4.50) by name, for inference only.

    Depth Anything (V1, V2), ZoeDepth, Depth Pro, DPT (MiDaS), GLPN and others of
    AutoModelForDepthEstimation. Images are prepared and maps resized by the model's own processor,
    so the network input has the size that the model was trained for. The weights are those of the
    name; only `.safetensors` are read, and no code of a model's repository is run. What each family
    predicts: docs/reference/teachers.md, "Families". Disparity of DPT and Depth Anything has an
    unknown offset besides its unknown factor: calibrate it with form 'affine'
    (`inference.calibrate`).

    Args:
        name: folder, or name on huggingface.co, such as depth-anything/Depth-Anything-V2-Small-hf.
        kind: of the output; None for that of the family. 'metric' for a DPT model that was trained
            in metres, such as facebook/dpt-dinov2-small-kitti.
        data_preprocessor, init_cfg: see `DepthEstimator`.

    Attributes:
        family: `model_type` of the model's config.
        kind: see `DepthMap`.
        focal_rule: 'given': the metres follow the focal length of `cameras`, or without cameras the
            one that the network estimates; 'none': the network does not know the focal length, and
            its metres hold for cameras such as those that it was trained on.
        licence: of the weights, as its model card has it; None if unknown.

    Raises:
        HybridDepthError: transformers is not installed, or the model cannot be loaded.
        ConfigError: an unknown kind, or no kind for a family that is not known.
    """

    def __init__(
        self,
        name: str,
        kind: DepthKind | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(name, data_preprocessor, init_cfg)
        self.network, self.images = load_pretrained(
            'AutoModelForDepthEstimation', name, 'a depth model', 'AutoImageProcessor'
        )
        self.network.requires_grad_(False)
        config = self.network.config
        self.family = config.model_type
        self.kind = _kind_of(config) if kind is None else kind
        if self.kind not in get_args(DepthKind):
            raise ConfigError(
                f'TransformersDepth: expected a kind among {get_args(DepthKind)} for {name}, of '
                f'the family {self.family}, got {self.kind!r}; families of a known kind: '
                f'{", ".join(KINDS)}'
            )
        self.focal_rule = 'given' if self.family == 'depth_pro' else 'none'
        self.report()

    @torch.no_grad()
    def predict(
        self,
        frames: dict[int | str, Tensor],
        cameras: Cameras = None,
        memory: FeatureMemory | None = None,
    ) -> DepthMap:
        """Depth of frame 0, of the model's kind; see `DepthEstimator.predict`.

        Raises:
            MissingInputError: no cameras for a Depth Pro without its field-of-view network.
        """
        self.require_current_frame(frames)
        images = frames[0]
        sizes = [tuple(images.shape[-2:])] * len(images)
        pixels = (images * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
        inputs = self.images(list(pixels.cpu().numpy()), return_tensors='pt').to(images.device)
        outputs = self.network(**inputs)
        if self.focal_rule == 'given':
            outputs.field_of_view = self._field_of_view(outputs, cameras, images)
        finish = self.images.post_process_depth_estimation
        # ZoeDepth pads its images
        known = ('source_sizes',) if 'source_sizes' in inspect.signature(finish).parameters else ()
        maps = finish(outputs, target_sizes=sizes, **{key: sizes for key in known})
        values = torch.stack([full_precision(x['predicted_depth']) for x in maps])[:, None]
        return DepthMap(self._positive(values), self.kind)

    def _field_of_view(self, outputs: Any, cameras: Cameras, images: Tensor) -> Tensor:
        """(B,) horizontal, degrees: of the cameras, else as estimated."""
        view = as_view(cameras, images)
        if view is None:
            if outputs.field_of_view is None:
                raise MissingInputError(
                    f'{self.name}: expected cameras, as the model has no field-of-view network, '
                    'got none; give the intrinsics (--intrinsics FX FY CX CY)'
                )
            return outputs.field_of_view
        focal = view.cam2img[:, 0, 0].to(images)
        return torch.rad2deg(2 * torch.atan(images.shape[-1] / (2 * focal)))

    def _positive(self, values: Tensor) -> Tensor:
        """Maps above 0, which the networks and their bicubic resizing do not ensure."""
        if self.kind != 'disparity':
            return values.clamp(min=NEAREST)
        floor = (values.amax((1, 2, 3), keepdim=True) / RANGE).clamp(min=1 / self.max_depth)
        return values.maximum(floor)


def _kind_of(config: Any) -> DepthKind | None:
    """Kind of a model's output; None if its family is not known."""
    if getattr(config, 'depth_estimation_type', None) == 'metric':
        return 'metric'
    return KINDS.get(config.model_type)
