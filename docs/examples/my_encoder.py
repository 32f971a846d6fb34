"""A depth encoder of five strided convolutions."""

from itertools import pairwise

from mmengine.registry import MODELS
from torch import Tensor, nn

from hybrid_depth.depth.encoders import DepthEncoder, DepthFeatures
from hybrid_depth.foundation.images import InputNormalization


@MODELS.register_module()
class MyEncoder(DepthEncoder):
    def __init__(self, channels: tuple[int, ...] = (16, 32, 64, 64, 64)) -> None:
        super().__init__()
        self.out_channels = list(channels)
        self.out_strides = [2, 4, 8, 16, 32]
        self.normalize = InputNormalization('imagenet', 'imagenet')
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU())
            for before, after in pairwise((3, *channels))
        )

    def forward(self, images: Tensor) -> DepthFeatures:
        x, maps = self.normalize(images), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return DepthFeatures(maps)
