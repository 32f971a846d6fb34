"""CLIP vision towers of open_clip as feature pyramids.

open_clip takes a second to import and most models do not use it, so towers import it when built.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from ..checkpoints import load_checkpoint_file
from ..checkpoints.weights import CheckpointMismatchError, require_finite
from .images import InputNormalization, even_taps, resize_images
from .prompts import clip_tokenizer
from .text import TextTower
from .weights import find_weights, hub_download, read_weights


@MODELS.register_module()
class CLIPTower(nn.Module):
    """CLIP vision tower; `detach_text_tower` returns the text tower of the same model, once.

    A ModifiedResNet (RN50, ...) returns the maps of layer1..layer4 at strides 4..32 for any input
    size. Other towers (ViT, and timm-backed ones such as SigLIP2) have a fixed input size: images
    are resized to it (bilinear, antialiased, aspect not kept) and the maps of evenly spaced blocks
    are returned, each through the final norm. The pooling to one vector is removed.

    Args:
        name: open_clip model name. OpenAI's ResNets need the '-quickgelu' names (the activation
            matters in the text tower).
        pretrained: None for random weights, a file, or an open_clip tag such as 'openai'
            (see `find_weights`). Original OpenAI `RN50.pt` files are TorchScript programs and are
            refused; the same weights are tag 'openai', or `open_clip_model.safetensors` of
            huggingface.co/timm/resnet50_clip.openai.
        model_cfg: build this architecture instead of `name`: dict(embed_dim, vision_cfg, text_cfg,
            quick_gelu), as in open_clip's model_configs.
        num_taps: number of maps of a tower that is not a ModifiedResNet.
        image_size: fixed input size (rows, columns) of such a tower, instead of its native one;
            with `model_cfg`, set it there.
        mean, std, channel_order: see `InputNormalization`.

    Attributes:
        out_channels, out_strides: one entry per map, finest first.

    Raises:
        ValueError: unknown model name, or a tag together with `model_cfg`.
        FileNotFoundError: weights neither found locally nor downloadable.
        CheckpointMismatchError: weights of another model, or NaN.
    """

    def __init__(
        self,
        name: str = 'RN50-quickgelu',
        pretrained: str | None = None,
        model_cfg: dict | None = None,
        num_taps: int = 4,
        image_size: tuple[int, int] | None = None,
        mean: str | Sequence[float] = 'clip',
        std: str | Sequence[float] = 'clip',
        channel_order: str = 'rgb',
    ) -> None:
        from open_clip.modified_resnet import ModifiedResNet

        super().__init__()
        model = build_clip(name, pretrained, model_cfg, image_size)
        self.visual = model.visual
        self._tokenizer = partial(text_tokenizer, name, model_cfg)
        self.normalize = InputNormalization(mean, std, channel_order)
        self.fixed_size = None
        if isinstance(self.visual, ModifiedResNet):
            self.visual.attnpool = None
            self.taps = (1, 2, 3, 4)
            self.out_channels = [
                getattr(self.visual, f'layer{i}')[-1].conv3.out_channels for i in self.taps
            ]
            self.out_strides = [4, 8, 16, 32]
        else:
            _drop_pooling(self.visual)
            self.fixed_size = tuple(self.visual.image_size)
            self.taps, self.out_channels, self.out_strides = _describe_taps(self.visual, num_taps)
        # A plain list hides the text tower from parameters() and state_dict().
        self._text_tower = [model]

    def detach_text_tower(self) -> TextTower:
        """Return the text tower and release it; works once.

        Raises:
            RuntimeError: it was detached or dropped before.
        """
        if not self._text_tower:
            raise RuntimeError('the text tower of this CLIP model was detached or dropped before')
        return TextTower(self._text_tower.pop())

    def sentence_features(self, texts: Sequence[str]) -> Tensor:
        """Features (N, E) of texts by the model's text tower, see `encode_texts`.

        Raises:
            RuntimeError: it was detached or dropped before.
        """
        if not self._text_tower:
            raise RuntimeError('the text tower of this CLIP model was detached or dropped before')
        return encode_texts(self._text_tower[0], self._tokenizer(), texts)

    def drop_text_tower(self) -> None:
        """Free the text tower of a model that does not use it."""
        self._text_tower.clear()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Images (B, 3, H, W), RGB in [0, 1] -> maps 'layer<i>' or 'block<i>', finest first."""
        images = self.normalize(images)
        if self.fixed_size is not None:
            images = resize_images(images, self.fixed_size)
        maps = self.visual.forward_intermediates(
            images,
            indices=list(self.taps),
            normalize_intermediates=True,
            intermediates_only=True,
        )['image_intermediates']
        prefix = 'layer' if self.fixed_size is None else 'block'
        return {f'{prefix}{i}': feature for i, feature in zip(self.taps, maps, strict=True)}

    def stages(self) -> list[Callable[[Tensor], Tensor]] | None:
        """Stages of a ModifiedResNet, from the normalised images to one map each; of other towers
        None."""
        if self.fixed_size is not None:
            return None
        first, *others = (getattr(self.visual, f'layer{i}') for i in self.taps)
        return [lambda images: first(self.visual.stem(images)), *others]


def build_clip(
    name: str,
    pretrained: str | None,
    model_cfg: dict | None = None,
    image_size: tuple[int, int] | None = None,
) -> nn.Module:
    """open_clip model, float32, on torch's default device; arguments and errors of `CLIPTower`."""
    import open_clip

    if model_cfg is None and name not in open_clip.list_models():
        raise ValueError(f'open_clip has no model {name!r}; open_clip.list_models() lists them')
    size = None if image_size is None else tuple(image_size)
    # torch 2.6's get_default_device() ignores `with torch.device(...)`
    options = dict(force_image_size=size, device=torch.empty(0).device)
    path = None if pretrained is None else find_weights(pretrained, name)
    if pretrained is not None and path is None:
        if model_cfg is not None:
            raise ValueError(
                f'expected a weight file together with model_cfg, got the tag {pretrained!r}'
            )
        with hub_download(name, pretrained, 'huggingface.co, see open_clip.get_pretrained_cfg'):
            return open_clip.create_model(name, pretrained=pretrained, **options)
    if model_cfg is None:
        model = open_clip.create_model(name, **options)
    else:
        model = open_clip.CLIP(**model_cfg)
    if path is not None:
        _load_file(model, path)
    return model


def text_tokenizer(name: str, model_cfg: dict | None) -> Callable[[list[str]], Tensor]:
    """Tokenizer of an open_clip model, texts -> ids (N, L); CLIP's for a `model_cfg`."""
    import open_clip

    if model_cfg is None:
        return open_clip.get_tokenizer(name)
    return partial(clip_tokenizer(), context_length=model_cfg['text_cfg']['context_length'])


@torch.no_grad()
def encode_texts(
    model: nn.Module, tokenize: Callable[[list[str]], Tensor], texts: Sequence[str]
) -> Tensor:
    """Features of texts by the text tower of an open_clip model.

    Args:
        model: open_clip model with `encode_text`, of any kind.
        tokenize: its tokenizer (`text_tokenizer`); longer texts than its context are cut (CLIP: 77
            tokens).
        texts: N texts.

    Returns:
        (N, E) float32 on the CPU, rows of unit length.
    """
    device = next(model.parameters()).device
    batches = [list(texts[i : i + 64]) for i in range(0, len(texts), 64)]
    rows = [model.encode_text(tokenize(batch).to(device)) for batch in batches]
    return F.normalize(torch.cat(rows).float(), dim=-1).cpu()


def _load_file(model: nn.Module, path: Path) -> None:
    """Load a file strictly; open_clip converts the formats of other libraries."""
    import open_clip

    with TemporaryDirectory() as folder:
        source = path
        if path.suffix != '.npz':  # JAX weights
            weights = read_weights(path, model.state_dict())
            if weights.keys() != load_checkpoint_file(path).keys():  # unwrapped
                source = Path(folder, 'weights.pth')
                torch.save(weights, source)
        try:
            open_clip.load_checkpoint(model, str(source))
        except Exception as error:  # whatever the conversion of foreign weights leads to
            raise CheckpointMismatchError(
                f'{path}: expected the weights of this {type(model).__name__}, got: '
                f'{str(error)[:1000]}\nUse the file of this model, or set the name of the model '
                'that the file belongs to.'
            ) from error
    require_finite(model.state_dict(), str(path))


def _drop_pooling(visual: nn.Module) -> None:
    """Remove the pooling to one vector per image, whose parameters would be unused."""
    from open_clip.timm_model import TimmModel

    if isinstance(visual, TimmModel):
        visual.trunk.reset_classifier(0, '')
        visual.head = nn.Identity()
    else:
        visual.proj = visual.attn_pool = None


def _describe_taps(visual: nn.Module, count: int) -> tuple[tuple[int, ...], list[int], list[int]]:
    """Block indices, channels and strides of `count` taps of a ViT or timm-backed tower."""
    from open_clip.timm_model import TimmModel

    if isinstance(visual, TimmModel):
        info = [(i['num_chs'], i['reduction']) for i in visual.trunk.feature_info]
    else:
        width, patch = visual.conv1.out_channels, visual.patch_size[0]
        info = [(width, patch)] * len(visual.transformer.resblocks)
    taps = even_taps(len(info), count)
    return taps, [info[i][0] for i in taps], [info[i][1] for i in taps]
