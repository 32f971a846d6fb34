"""A refinement of the BEV map by one residual convolution."""

from collections.abc import Sequence

from mmdet3d.registry import TASK_UTILS
from mmdet3d.structures import BaseInstance3DBoxes
from torch import Tensor, nn

from hybrid_depth.bev.depth_nets import DepthDistribution
from hybrid_depth.bev.parts import BEVSpace
from hybrid_depth.geometry import CameraRig


@TASK_UTILS.register_module()
class MyRefinement:
    def __init__(self, space: BEVSpace) -> None:
        channels = space.channels * space.grid.size[2]
        self.modules = {'my_refinement': nn.Conv2d(channels, channels, 3, padding=1)}

    def __call__(
        self,
        bev: Tensor,
        distribution: DepthDistribution,
        rig: CameraRig,
        boxes: Sequence[BaseInstance3DBoxes] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return bev + self.modules['my_refinement'](bev).relu(), {}
