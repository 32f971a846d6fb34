"""Training of frame interpolation on any video."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...errors import MissingInputError
from ...losses.interpolation import census_distance, charbonnier
from .ifrnet import common_mean
from .output import Interpolation


@MODELS.register_module()
class FrameInterpolation(BaseModel):
    """Training of a frame interpolation network: the middle one of three frames is the truth.

    Source: arXiv 2205.14620, section 3.3; docs/reference/mono_vifi.md, "Frame interpolation".

    Args:
        net: `IFRNet` config.
        geometry_weight: of the distance of the network's features to those of the truth.
        data_preprocessor: `DepthDataPreprocessor` by default.
    """

    def __init__(
        self,
        net: dict,
        geometry_weight: float = 0.01,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = data_preprocessor or dict(type='DepthDataPreprocessor')
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.net = MODELS.build(net)
        self.geometry_weight = geometry_weight

    def forward(
        self,
        inputs: dict,
        data_samples: Sequence[BaseDataElement] | None = None,
        mode: str = 'tensor',
    ) -> dict[str, Tensor] | Interpolation:
        """Entry point of mmengine: mode 'loss', or 'tensor' for the `Interpolation`.

        Raises:
            MissingInputError: frames -1 and 1, or 0 for the loss, are missing.
            ValueError: any other mode.
        """
        if mode not in ('loss', 'tensor'):
            raise ValueError(f"mode: expected 'loss' or 'tensor', got {mode!r}")
        images = inputs['images']
        absent = {-1, 1, *((0,) if mode == 'loss' else ())} - set(images)
        if absent:
            raise MissingInputError(
                f'FrameInterpolation: expected frames -1, 0 and 1, got {list(images)}; set the '
                "dataset's frame_ids to (0, -1, 1)"
            )
        if mode == 'tensor':
            return self.net(images[-1], images[1])
        return self.loss(images[-1], images[0], images[1])

    def loss(self, first: Tensor, truth: Tensor, second: Tensor) -> dict[str, Tensor]:
        """`loss_charbonnier`, `loss_census`, and by level, finest first, `loss_geometry`."""
        between, features = self.net.trace(first, second)
        mean = common_mean(first, second)
        merged, truth = between.merged - mean, truth - mean
        levels = zip(features, self.net.encode(truth)[:3], strict=True)
        return dict(
            loss_charbonnier=charbonnier(merged, truth),
            loss_census=census_distance(_grey(merged), _grey(truth), patch=7),
            loss_geometry=[
                self.geometry_weight * census_distance(feature, target, patch=3)
                for feature, target in levels
            ],
        )


def _grey(images: Tensor) -> Tensor:
    return images.mean(1, keepdim=True)
