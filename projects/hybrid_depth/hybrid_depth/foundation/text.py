"""CLIP text tower, and the language head: similarity of pixels and depth prompts."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .prompts import DepthPrompts

TEMPERATURE = 100.0


def resample_channels(features: Tensor, width: int, dim: int) -> Tensor:
    """Nearest-neighbour resampling of features to `width` channels along `dim`.

    Channel i is input channel floor(i * channels / width); 4096 channels become every fourth at
    width 1024 (docs/reference/hybrid_depth.md, "Stage 1 losses").
    """
    channels = features.shape[dim]
    if channels == width:
        return features
    source = torch.arange(width, device=features.device) * channels // width
    return features.index_select(dim, source)


class TextTower(nn.Module):
    """Text tower of an open_clip model, with token vectors as input instead of token ids.

    Args:
        clip: open_clip model with a causal text transformer and CLIP's tokenizer.

    Attributes:
        width: size of a token vector.
        embed_dim: size of a sentence feature.

    Raises:
        ValueError: another kind of text tower (Hugging Face, bidirectional).
    """

    def __init__(self, clip: nn.Module) -> None:
        super().__init__()
        text = getattr(clip, 'text', clip)
        if getattr(text, 'attn_mask', None) is None or not hasattr(text, 'token_embedding'):
            raise ValueError(
                'expected a causal CLIP text tower (OpenAI style) for depth prompts, got '
                f'{type(text).__name__}. Use another CLIP model, or text=None'
            )
        self.token_embedding = text.token_embedding
        self.positional_embedding = text.positional_embedding
        self.transformer = text.transformer
        self.ln_final = text.ln_final
        self.text_projection = text.text_projection
        self.width, self.embed_dim = text.text_projection.shape

    def forward(self, prompts: DepthPrompts) -> Tensor:
        """Prompts -> sentence features (N, embed_dim), rows of unit length."""
        vectors = prompts(self.token_embedding)
        length = vectors.shape[1]
        mask = torch.full((length, length), -math.inf, device=vectors.device).triu(1)
        x = vectors + self.positional_embedding[:length]
        x = self.transformer(x, attn_mask=mask.to(x.dtype))
        x = x[torch.arange(len(x), device=x.device), prompts.end]
        return F.normalize(self.ln_final(x) @ self.text_projection, dim=-1)


class LanguageHead(nn.Module):
    """Similarity logits of every pixel and depth prompt: (100 / sqrt(N)) * cosine.

    The official release divides the matrix of unit rows by its Frobenius norm; that norm is
    always sqrt(N), so one scalar is equivalent (docs/reference/hybrid_depth.md,
    "Depth sentences").

    In training the text tower runs once per optimiser step: the text matrix is cached until a
    parameter changes or a backward pass has used it. It never runs in inference: `eval()`
    (and loading weights in eval mode) computes the matrix once into the buffer `matrix`.
    `drop_text_tower()` then frees the tower and makes `matrix` part of the state dict; loading
    such a checkpoint drops the text tower.

    Args:
        tower: text tower.
        prompts: depth prompts.
    """

    def __init__(self, tower: TextTower, prompts: DepthPrompts) -> None:
        super().__init__()
        self.tower: TextTower | None = tower
        self.prompts: DepthPrompts | None = prompts
        self.scale = TEMPERATURE / math.sqrt(len(prompts))
        matrix = torch.zeros(len(prompts), tower.embed_dim)
        self.register_buffer('matrix', matrix, persistent=False)
        self._cache: tuple[tuple, Tensor] | None = None
        self.register_load_state_dict_post_hook(_after_loading)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps (B, C, h, w) -> logits (B, N, h, w).

        Channels are resampled to the text width (see `resample_channels`), then normalised to unit
        length.
        """
        matrix = self.text_matrix() * self.scale
        return [_similarity(feature, matrix) for feature in maps]

    def text_matrix(self) -> Tensor:
        """Sentence features (N, embed_dim), rows of unit length; with gradient in training."""
        if self.tower is None or not self.training:
            return self.matrix
        key = self._cache_key()
        if self._cache is None or self._cache[0] != key:
            matrix = self._run_tower()
            if matrix.requires_grad:
                # A backward pass frees the matrix's graph, so it invalidates the cache.
                matrix.register_hook(self._invalidate)
            self._cache = (key, matrix)
        return self._cache[1]

    def refresh(self) -> None:
        """Recompute the stored matrix from the text tower's current weights."""
        self._invalidate()
        if self.tower is not None:
            with torch.no_grad():
                self.matrix.copy_(self._run_tower())

    def drop_text_tower(self) -> None:
        """Free tower and prompts; the matrix becomes part of the state dict."""
        self.refresh()
        self.tower = self.prompts = None
        matrix = self.matrix
        del self.matrix
        self.register_buffer('matrix', matrix)

    def train(self, mode: bool = True) -> 'LanguageHead':
        """Set the mode; leaving training stores the text matrix."""
        super().train(mode)
        if not mode:
            self.refresh()
        return self

    def _run_tower(self) -> Tensor:
        with torch.autocast(self.matrix.device.type, enabled=False):
            return self.tower(self.prompts)

    def _cache_key(self) -> tuple:
        parameters = [*self.tower.parameters(), *self.prompts.parameters()]
        first = parameters[0]
        versions = tuple(p._version for p in parameters)
        return torch.is_grad_enabled(), first.device, first.dtype, versions

    def _invalidate(self, _grad: Tensor | None = None) -> None:
        self._cache = None

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args) -> None:
        if prefix + 'matrix' in state_dict and self.tower is not None:
            self.drop_text_tower()
        super()._load_from_state_dict(state_dict, prefix, *args)

    def __getstate__(self) -> dict:
        # The cached matrix belongs to an autograd graph, which can be neither copied nor pickled.
        return {**self.__dict__, '_cache': None}


def _after_loading(head: LanguageHead, _incompatible: Any) -> None:
    head._invalidate()
    if not head.training:
        head.refresh()


def _similarity(feature: Tensor, matrix: Tensor) -> Tensor:
    feature = resample_channels(feature, matrix.shape[1], dim=1)
    return F.conv2d(F.normalize(feature, dim=1), matrix.to(feature.dtype)[:, :, None, None])
