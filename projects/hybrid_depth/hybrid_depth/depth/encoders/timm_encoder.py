"""timm backbones as depth encoders."""

from collections.abc import Sequence
from functools import partial

from mmengine.registry import MODELS
from torch import Tensor, nn

from ...foundation.images import InputNormalization
from ...foundation.weights import build_timm
from .base import DepthEncoder, DepthFeatures
from .stage_chain import StageChain


@MODELS.register_module()
class TimmDepthEncoder(DepthEncoder):
    """Depth encoder from a timm backbone (`features_only`).

    Images are not resized; convolutional backbones take any size. Vision transformers need
    `dynamic_img_size=True` and multiples of the patch size; Swin takes one size, `img_size=(rows,
    columns)`.

    Args:
        name: timm model name, e.g. 'resnet18.a1_in1k'.
        pretrained: None for random weights, 'hub' for the tag in `name`, or a file.
        out_indices: levels to return; None for all.
        mean, std, channel_order: see `InputNormalization`.
        **kwargs: passed to timm.

    Raises:
        ValueError: unknown model name.
        FileNotFoundError: weights neither found locally nor downloadable.
        CheckpointMismatchError: weights of another model, or NaN.
    """

    def __init__(
        self,
        name: str,
        pretrained: str | None = None,
        out_indices: Sequence[int] | None = None,
        mean: str | Sequence[float] = 'imagenet',
        std: str | Sequence[float] = 'imagenet',
        channel_order: str = 'rgb',
        **kwargs,
    ) -> None:
        super().__init__()
        self.normalize = InputNormalization(mean, std, channel_order)
        if out_indices is not None:
            kwargs['out_indices'] = tuple(out_indices)
        self.body = build_timm(name, pretrained, features_only=True, **kwargs)
        self.out_channels = self.body.feature_info.channels()
        self.out_strides = self.body.feature_info.reduction()
        self.channels_last_maps = getattr(self.body, 'output_fmt', 'NCHW') == 'NHWC'

    def forward(self, images: Tensor) -> DepthFeatures:
        """Images (B, 3, H, W), RGB float in [0, 1] -> the backbone's maps, finest first."""
        maps = self.body(self.normalize(images))
        if self.channels_last_maps:  # of Swin
            maps = [level.permute(0, 3, 1, 2).contiguous() for level in maps]
        return DepthFeatures(list(maps))

    def chain(self) -> StageChain:
        """The backbone, see `DepthEncoder.chain`.

        Raises:
            TypeError: timm takes this backbone's maps from inside its modules.
        """
        from timm.models._features import FeatureListNet

        if type(self.body) is not FeatureListNet or self.body.output_fmt != 'NCHW':
            return super().chain()
        stages, modules = [], []
        for name, module in self.body.items():
            modules.append(module)
            if name in self.body.return_layers:
                stages.append(partial(_run_all, modules))
                modules = []
        return StageChain(self.normalize, stages, self.out_channels, self.out_strides)


def _run_all(modules: Sequence[nn.Module], x: Tensor) -> Tensor:
    for module in modules:
        x = module(x)
    return x
