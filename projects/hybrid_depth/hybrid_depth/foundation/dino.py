"""DINO vision transformers of timm as feature maps."""

from collections.abc import Sequence

from mmengine.registry import MODELS
from torch import Tensor, nn

from .images import InputNormalization, even_taps, resize_images
from .weights import build_timm


@MODELS.register_module()
class DINOTower(nn.Module):
    """Patch-token maps of a timm vision transformer, each through the final LayerNorm.

    Any input size: the image is resized (bilinear, antialiased) so that one patch covers `stride`
    input pixels, i.e. to round(H / stride) x round(W / stride) patches. With the default stride
    (the patch size) the target is the nearest multiple of the patch size.

    Args:
        name: timm model name without or with tag, e.g. 'vit_base_patch14_dinov2.lvd142m' or a
            DINOv3 name. Plain ViTs resample position embeddings as DINOv2 does; rotary models are
            unchanged.
        pretrained: None for random weights, 'hub' for the tag in `name`, or a file.
        taps: block indices, or a number of evenly spaced blocks (4 of 12: 2, 5, 8, 11).
        stride: input pixels per patch; None for the patch size.
        mean, std, channel_order: see `InputNormalization`.
        **kwargs: passed to timm, e.g. embed_dim, depth, num_heads, img_size for small towers.

    Attributes:
        out_channels, out_strides: one entry per tap.

    Raises:
        ValueError: unknown model name, or a tap index out of range.
        FileNotFoundError: weights neither found locally nor downloadable.
        CheckpointMismatchError: weights of another model, or NaN.
    """

    def __init__(
        self,
        name: str = 'vit_base_patch14_dinov2.lvd142m',
        pretrained: str | None = None,
        taps: Sequence[int] | int = 4,
        stride: int | None = None,
        mean: str | Sequence[float] = 'imagenet',
        std: str | Sequence[float] = 'imagenet',
        channel_order: str = 'rgb',
        **kwargs,
    ) -> None:
        super().__init__()
        self.vit = build_vit(name, pretrained, **kwargs)
        self.normalize = InputNormalization(mean, std, channel_order)
        depth = len(self.vit.blocks)
        self.taps = even_taps(depth, taps) if isinstance(taps, int) else tuple(taps)
        if not all(0 <= tap < depth for tap in self.taps):
            raise ValueError(f'{name}: expected tap indices from 0 to {depth - 1}, got {self.taps}')
        self.patch = self.vit.patch_embed.patch_size[0]
        self.stride = stride or self.patch
        self.out_channels = [self.vit.embed_dim] * len(self.taps)
        self.out_strides = [self.stride] * len(self.taps)

    def forward(self, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Images (B, 3, H, W), RGB in [0, 1] -> one map and one class token per tap.

        Returns:
            maps (B, C, round(H / stride), round(W / stride)) and class tokens (B, C).
        """
        rows, columns = (max(1, round(int(n) / self.stride)) for n in images.shape[-2:])
        images = resize_images(self.normalize(images), (rows * self.patch, columns * self.patch))
        taps = self.vit.forward_intermediates(
            images,
            indices=list(self.taps),
            return_prefix_tokens=True,
            norm=True,
            stop_early=True,
            intermediates_only=True,
        )
        return [feature for feature, _ in taps], [prefix[:, 0] for _, prefix in taps]


def build_vit(name: str, pretrained: str | None, **kwargs) -> nn.Module:
    """timm vision transformer for any input size; arguments and errors as in `DINOTower`."""
    from timm.models.vision_transformer import VisionTransformer

    from .position_embedding import OffsetPositionViT

    vit = build_timm(name, pretrained, num_classes=0, dynamic_img_size=True, **kwargs)
    if type(vit) is VisionTransformer and vit.pos_embed is not None:
        # timm has no option for the resampling rule; the subclass overrides that one method.
        vit.__class__ = OffsetPositionViT
    return vit
