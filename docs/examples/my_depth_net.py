"""A depth net of two small branches."""

from mmdet3d.registry import MODELS
from torch import Tensor, nn

from hybrid_depth.bev.depth_nets import DepthDistribution, DepthNet
from hybrid_depth.geometry import CameraRig, DepthBins


@MODELS.register_module()
class MyDepthNet(DepthNet, nn.Module):
    def __init__(
        self, in_channels: int, context_channels: int, bins: DepthBins, depth_supervision=()
    ) -> None:
        nn.Module.__init__(self)
        self.set_up_depth(bins, depth_supervision)
        self.depth = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(in_channels, bins.num, 1),
        )
        self.context = nn.Conv2d(in_channels, context_channels, 1)

    def forward(self, image_feats: Tensor, images: Tensor, rig: CameraRig) -> DepthDistribution:
        return DepthDistribution(logits=self.depth(image_feats), context=self.context(image_feats))
