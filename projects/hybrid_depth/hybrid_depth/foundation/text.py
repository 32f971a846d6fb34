"""CLIP's text tower, and the language head that compares pixels with sentences."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .prompts import DepthPrompts

TEMPERATURE = 100.0


def resample_channels(features: Tensor, width: int, dim: int) -> Tensor:
    """Features with `width` channels along `dim`, by the nearest rule.

    Channel i comes from channel floor(i * channels / width), so that 4096 channels become every
    fourth of them (docs/reference/hybrid_depth.md, "Stage 1 losses").
    """
    channels = features.shape[dim]
    if channels == width:
        return features
    source = torch.arange(width, device=features.device) * channels // width
    return features.index_select(dim, source)


class TextTower(nn.Module):
    """Text half of an open_clip model, fed with token vectors instead of token ids.

    Args:
        clip: open_clip model with a causal text transformer and CLIP's own tokenizer.

    Attributes:
        width: size of a token vector.
        embed_dim: size of a sentence feature.

    Raises:
        ValueError: the model's text tower is of another kind (Hugging Face, bidirectional).
    """

    def __init__(self, clip: nn.Module) -> None:
        super().__init__()
        text = getattr(clip, 'text', clip)
        if getattr(text, 'attn_mask', None) is None or not hasattr(text, 'token_embedding'):
            raise ValueError(
                'depth prompts need a causal CLIP text tower (OpenAI style); '
                f'{type(text).__name__} is none. Use another CLIP model, or text=None'
            )
        self.token_embedding = text.token_embedding
        self.positional_embedding = text.positional_embedding
        self.transformer = text.transformer
        self.ln_final = text.ln_final
        self.text_projection = text.text_projection
        self.width, self.embed_dim = text.text_projection.shape

    def forward(self, prompts: DepthPrompts) -> Tensor:
        """Sentence features (N, embed_dim), rows of unit length."""
        vectors = prompts(self.token_embedding)
        length = vectors.shape[1]
        mask = torch.full((length, length), -math.inf, device=vectors.device).triu(1)
        x = vectors + self.positional_embedding[:length]
        x = self.transformer(x, attn_mask=mask.to(x.dtype))
        x = x[torch.arange(len(x), device=x.device), prompts.end]
        return F.normalize(self.ln_final(x) @ self.text_projection, dim=-1)


class LanguageHead(nn.Module):
    """Logits of every pixel against every depth sentence: (100 / sqrt(N)) * cosine.

    The official release divides the matrix of unit rows by its Frobenius norm; that norm is
    sqrt(N) whatever the rows are, so one scalar is equivalent (docs/reference/hybrid_depth.md,
    "Depth sentences").

    The text tower runs once per optimiser step in training: the text matrix is kept until a
    parameter changes or a backward pass has gone through it. It never runs in inference: `eval()`
    (and loading weights in eval mode) computes the matrix once into the buffer `matrix`.
    `drop_text_tower()` then frees the tower and makes `matrix` part of the state dict; a checkpoint
    saved that way also loads into a head that still has its tower, which is dropped.

    Args:
        tower: the text tower.
        prompts: the sentences.
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

        Where C is not the text width the channels are resampled (see `resample_channels`), then
        brought to unit length.
        """
        matrix = self.text_matrix() * self.scale
        return [_similarity(feature, matrix) for feature in maps]

    def text_matrix(self) -> Tensor:
        """Sentence features (N, embed_dim), rows of unit length; live and cached in training."""
        if self.tower is None or not self.training:
            return self.matrix
        key = self._cache_key()
        if self._cache is None or self._cache[0] != key:
            matrix = self._run_tower()
            if matrix.requires_grad:
                # The graph behind the matrix is freed by a backward pass, so forget it then.
                matrix.register_hook(self._forget)
            self._cache = (key, matrix)
        return self._cache[1]

    def refresh(self) -> None:
        """Recompute the stored matrix from the text tower's present weights."""
        self._forget()
        if self.tower is not None:
            with torch.no_grad():
                self.matrix.copy_(self._run_tower())

    def drop_text_tower(self) -> None:
        """Keep the matrix, now as part of the state dict, and free tower and prompts."""
        self.refresh()
        self.tower = self.prompts = None
        matrix = self.matrix
        del self.matrix
        self.register_buffer('matrix', matrix)

    def train(self, mode: bool = True) -> 'LanguageHead':
        """Switch the mode; leaving training stores the text matrix."""
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

    def _forget(self, _grad: Tensor | None = None) -> None:
        self._cache = None

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args) -> None:
        if prefix + 'matrix' in state_dict and self.tower is not None:
            self.drop_text_tower()
        super()._load_from_state_dict(state_dict, prefix, *args)

    def __getstate__(self) -> dict:
        # A cached matrix hangs on an autograd graph, which can be neither copied nor pickled.
        return {**self.__dict__, '_cache': None}


def _after_loading(head: LanguageHead, _incompatible: Any) -> None:
    head._forget()
    if not head.training:
        head.refresh()


def _similarity(feature: Tensor, matrix: Tensor) -> Tensor:
    feature = resample_channels(feature, matrix.shape[1], dim=1)
    return F.conv2d(F.normalize(feature, dim=1), matrix.to(feature.dtype)[:, :, None, None])
