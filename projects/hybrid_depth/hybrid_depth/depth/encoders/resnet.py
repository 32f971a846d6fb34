"""torchvision ResNets as depth encoders."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from mmengine.registry import MODELS
from torch import Tensor, nn

from ...checkpoints.strict_load import load_strictly
from ...foundation.images import InputNormalization
from ...foundation.weights import find_weights, hub_download, read_weights
from .base import DepthEncoder, DepthFeatures
from .stage_chain import StageChain

DEPTHS = (18, 34, 50, 101, 152)


def build_resnet(depth: int, pretrained: str | None = None, num_images: int = 1) -> nn.Module:
    """torchvision ResNet without classifier, for `num_images` RGB images stacked along channels.

    Args:
        depth: 18, 34, 50, 101 or 152.
        pretrained: None for random weights, 'imagenet' (torchvision's IMAGENET1K_V1), or a file.
            For several images the first kernel is repeated and divided by their number.
        num_images: images in one input.

    Raises:
        ValueError: unknown depth.
        FileNotFoundError: weights neither found locally nor downloadable.
        CheckpointMismatchError: the file's weights do not match, or are not finite.
    """
    if depth not in DEPTHS:
        raise ValueError(f'expected a ResNet depth of {DEPTHS}, got {depth}')
    import torchvision  # takes a second to import; many models do not use it

    name = f'resnet{depth}'
    resnet = torchvision.models.get_model(name)
    resnet.fc = nn.Identity()
    if pretrained is not None:
        state = _load(name, pretrained, resnet.state_dict())
        state = {key: value for key, value in state.items() if not key.startswith('fc.')}
        load_strictly(resnet, state, pretrained)
    if num_images > 1:
        _repeat_first_kernel(resnet, num_images, keep=pretrained is not None)
    return resnet


def _load(name: str, pretrained: str, expected: Collection[str]) -> Mapping[str, Tensor]:
    import torchvision

    path = find_weights(pretrained, name)
    if path is not None:
        return read_weights(path, expected)
    if pretrained != 'imagenet':
        raise ValueError(
            f"pretrained of {name}: expected None, 'imagenet' or a file, got {pretrained!r}"
        )
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
    with hub_download(name, pretrained, weights.url):
        return weights.get_state_dict(progress=True, check_hash=True, weights_only=True)


def _repeat_first_kernel(resnet: nn.Module, num_images: int, keep: bool) -> None:
    old = resnet.conv1
    resnet.conv1 = nn.Conv2d(3 * num_images, old.out_channels, 7, stride=2, padding=3, bias=False)
    if keep:
        repeated = old.weight.detach().repeat(1, num_images, 1, 1) / num_images
        resnet.conv1.weight.data.copy_(repeated)
    else:
        nn.init.kaiming_normal_(resnet.conv1.weight, mode='fan_out', nonlinearity='relu')


def resnet_stages(resnet: nn.Module) -> list[Callable[[Tensor], Tensor]]:
    """Stages of a torchvision ResNet, whose maps have strides 2 (first ReLU), 4, 8, 16, 32."""
    return [
        lambda x: resnet.relu(resnet.bn1(resnet.conv1(x))),
        lambda stem: resnet.layer1(resnet.maxpool(stem)),
        resnet.layer2,
        resnet.layer3,
        resnet.layer4,
    ]


@MODELS.register_module()
class ResNetDepthEncoder(DepthEncoder):
    """ResNet feature pyramid of Monodepth2 (arXiv 1806.01260), any input size.

    State-dict keys are the official ones without the unused classifier `encoder.fc`
    (docs/reference/monodepth2.md, "Encoder").

    Args:
        depth: 18, 34, 50, 101 or 152.
        pretrained: see `build_resnet`.
        mean, std: see `InputNormalization`; the defaults are Monodepth2's.
    """

    def __init__(
        self,
        depth: int = 18,
        pretrained: str | None = None,
        mean: str | Sequence[float] = (0.45, 0.45, 0.45),
        std: str | Sequence[float] = (0.225, 0.225, 0.225),
    ) -> None:
        super().__init__()
        self.normalize = InputNormalization(mean, std)
        self.encoder = build_resnet(depth, pretrained)
        expansion = 1 if depth < 50 else 4
        self.out_channels = [64, *(width * expansion for width in (64, 128, 256, 512))]
        self.out_strides = [2, 4, 8, 16, 32]

    def forward(self, images: Tensor) -> DepthFeatures:
        """Images (B, 3, H, W), RGB float in [0, 1] -> five maps, strides 2 to 32."""
        chain = self.chain()
        return self.gather(images, chain.begin(images, len(chain.stages) - 1))

    def chain(self) -> StageChain:
        """The whole ResNet, see `DepthEncoder.chain`."""
        stages = resnet_stages(self.encoder)
        return StageChain(self.normalize, stages, self.out_channels, self.out_strides)
