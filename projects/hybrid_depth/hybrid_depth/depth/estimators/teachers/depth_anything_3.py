"""Depth Anything 3, of its own package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor

from ....errors import ConfigError, HybridDepthError, MissingInputError
from ....geometry.depth_map import DepthMap
from ....text_files import read_json
from ..base import Cameras, as_view, full_precision
from ..feature_memory import FeatureMemory
from .named import NEAREST, NamedDepth

_INSTALL = 'pip install --no-deps depth-anything-3; pip install omegaconf einops imageio'
_LONGEST = 504  # pixels, of the network's images
_CANONICAL_FOCAL = 300.0  # pixels


@MODELS.register_module()
class DepthAnything3(NamedDepth):
    """Depth Anything 3 (arXiv 2511.10647) by name, for inference only, one image at a time.

    The network is that of the package depth-anything-3, the weights are the `model.safetensors` of
    the name, for one of the package's own architectures. What each predicts:
    docs/reference/teachers.md, "Depth Anything 3". Attributes as of `NamedDepth`.

    Args:
        name: folder, or name on huggingface.co, such as depth-anything/DA3METRIC-LARGE.
        data_preprocessor, init_cfg: see `DepthEstimator`.

    Raises:
        HybridDepthError: the package is not installed, or the model cannot be loaded.
        ConfigError: an architecture that the package does not have.
    """

    def __init__(
        self, name: str, data_preprocessor: dict | None = None, init_cfg: dict | None = None
    ) -> None:
        super().__init__(name, data_preprocessor, init_cfg)
        try:
            from depth_anything_3.cfg import create_object, load_config
            from depth_anything_3.registry import MODEL_REGISTRY
            from depth_anything_3.utils.io.input_processor import InputProcessor
        except ImportError as error:
            raise HybridDepthError(
                f'Depth Anything 3 needs its package: {_INSTALL} (got: {error})'
            ) from error
        self.family = _architecture(name)
        if self.family not in MODEL_REGISTRY:
            raise ConfigError(
                f'{name}: expected an architecture of the package among '
                f'{", ".join(MODEL_REGISTRY)}, got {self.family!r}'
            )
        network = create_object(load_config(MODEL_REGISTRY[self.family]))
        self.network = _load(network, _file(name, 'model.safetensors'))
        self.network.requires_grad_(False).eval()
        self.images = InputProcessor()
        self.focal_rule = 'given' if 'metric' in self.family else 'none'
        metric = 'metric' in self.family or 'nested' in self.family
        self.kind = 'metric' if metric else 'relative'
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
            MissingInputError: no cameras for the metric architecture.
        """
        self.require_current_frame(frames)
        images = frames[0]
        view = as_view(cameras, images)
        if self.focal_rule == 'given' and view is None:
            raise MissingInputError(
                f'{self.name}: expected cameras, as its metres follow from the focal length, got '
                'none; give the intrinsics (--intrinsics FX FY CX CY)'
            )
        pixels = (images * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
        inputs, _, _ = self.images(list(pixels), process_res=_LONGEST, sequential=True)
        found = [self.network(x[None, None].to(images))['depth'] for x in inputs]
        depth = full_precision(torch.stack([x.reshape(x.shape[-2:]) for x in found]))[:, None]
        if self.focal_rule == 'given':
            resized = [
                a / b for a, b in zip(depth.shape[:-3:-1], images.shape[:-3:-1], strict=True)
            ]
            focal = (view.cam2img[:, 0, 0] * resized[0] + view.cam2img[:, 1, 1] * resized[1]) / 2
            depth = depth * (focal.to(depth) / _CANONICAL_FOCAL).view(-1, 1, 1, 1)
        depth = F.interpolate(depth, images.shape[-2:], mode='bilinear', align_corners=False)
        return DepthMap(depth.clamp(min=NEAREST), self.kind)


def _file(name: str, file: str) -> Path:
    """A file of a model.

    Raises:
        HybridDepthError: there is none.
    """
    try:
        if Path(name).is_dir():
            path = Path(name, file)
            path.stat()
            return path
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(name, file))
    except (OSError, ValueError) as error:
        raise HybridDepthError(
            f'expected {file} of a Depth Anything 3 model in {name} (folder or name on '
            f'huggingface.co), got: {str(error)[:500]}'
        ) from error


def _architecture(name: str) -> Any:
    content = read_json(_file(name, 'config.json'))
    return content.get('model_name') if isinstance(content, dict) else None


def _load(network: torch.nn.Module, path: Path) -> torch.nn.Module:
    """The network with all its weights.

    Raises:
        HybridDepthError: the file is damaged, or of another architecture.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(path)
        network.load_state_dict({k.removeprefix('model.'): v for k, v in weights.items()})
    except (SafetensorError, RuntimeError, OSError) as error:
        raise HybridDepthError(
            f'{path}: expected weights of this architecture, got: {str(error)[:500]}'
        ) from error
    return network
