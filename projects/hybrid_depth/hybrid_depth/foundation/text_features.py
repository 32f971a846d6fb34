"""Sentence features of a CLIP text tower, computed once and kept in a file.

Training and inference look texts up and need no tower.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import DamagedFileError, DepthDataError
from ..files import atomic_file
from .clip import build_clip, encode_texts, text_tokenizer


class TextEncoder:
    """Text tower of any open_clip model with its tokenizer.

    Args:
        name, pretrained, model_cfg: see `CLIPTower`. With `model_cfg` the tokenizer is CLIP's.
        device: device of the tower.

    Attributes:
        description: name and weights.
        digest: SHA-256 of all tensors of the model outside of its image tower.

    Raises:
        ValueError, FileNotFoundError, CheckpointMismatchError: see `CLIPTower`.
    """

    def __init__(
        self,
        name: str = 'RN50-quickgelu',
        pretrained: str | None = 'openai',
        model_cfg: dict | None = None,
        device: str = 'cpu',
    ) -> None:
        self.model = build_clip(name, pretrained, model_cfg).eval().to(device)
        self.tokenize = text_tokenizer(name, model_cfg)
        self.description = f'{name if model_cfg is None else "model_cfg"}/{pretrained}'
        self.digest = _digest(self.model)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Texts -> features (N, E), see `encode_texts`."""
        return encode_texts(self.model, self.tokenize, texts)


def _digest(model: nn.Module) -> str:
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if not name.startswith('visual.'):
            found.update(name.encode())
            found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def text_digest(text: str) -> bytes:
    """SHA-256 of a text, its name in a file of features."""
    return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True)
class TextFeatures:
    """Features of texts by one tower.

    A `.safetensors` file: `digests` (N, 32) uint8, the SHA-256 of each text, and `features` (N, E)
    float16, rows of unit length; in its header `tower`, the digest and the name in one entry, as
    safetensors writes several in random order and equal features have to be equal files.

    Attributes:
        tower: name and weights of the tower.
        tower_sha256: digest of its tensors.
        features: (N, E) float16.
        rows: row by digest of the text.
    """

    tower: str
    tower_sha256: str
    features: Tensor
    rows: dict[bytes, int]

    @property
    def width(self) -> int:
        """E, the width of a feature."""
        return self.features.shape[1]

    def __contains__(self, text: str) -> bool:
        return text_digest(text) in self.rows

    def __getitem__(self, text: str) -> Tensor:
        """Feature (E,) of a text, float32.

        Raises:
            DepthDataError: it was not computed.
        """
        row = self.rows.get(text_digest(text))
        if row is None:
            raise DepthDataError(
                f'expected the feature of {text[:80]!r} among the {len(self.rows)} of '
                f'{self.tower}, got none; compute the features of all texts: hybrid-depth '
                'make-text-features'
            )
        return self.features[row].float()

    def with_texts(self, texts: Iterable[str], encode: TextEncoder) -> TextFeatures:
        """These features and those of further texts.

        Raises:
            DepthDataError: by another tower.
        """
        if encode.digest != self.tower_sha256:
            raise DepthDataError(
                f'expected the tower of the existing features, {self.tower}, got '
                f'{encode.description} with other weights; write to another file, or remove it'
            )
        new = [text for text in dict.fromkeys(texts) if text not in self]
        if not new:
            return self
        features = torch.cat([self.features, encode(new).half()])
        rows = {text_digest(text): len(self.rows) + i for i, text in enumerate(new)}
        return TextFeatures(self.tower, self.tower_sha256, features, {**self.rows, **rows})

    @classmethod
    def empty(cls, encode: TextEncoder) -> TextFeatures:
        """No features yet, of a tower."""
        width = encode(['']).shape[1]
        return cls(encode.description, encode.digest, torch.zeros(0, width).half(), {})

    def write(self, path: str | Path) -> None:
        """Write the file, atomically."""
        from safetensors.torch import save

        digests = torch.tensor([list(digest) for digest in self.rows], dtype=torch.uint8)
        tensors = dict(digests=digests.reshape(-1, 32), features=self.features.contiguous())
        with atomic_file(path) as file:
            file.write(save(tensors, dict(tower=f'{self.tower_sha256} {self.tower}')))

    @classmethod
    def read(cls, path: str | Path) -> TextFeatures:
        """Read a file.

        Raises:
            FileNotFoundError: no such file.
            DamagedFileError: damaged, or not such a file.
        """
        from safetensors import SafetensorError, safe_open

        if not Path(path).is_file():
            raise FileNotFoundError(
                f'expected text features in {path}, which does not exist; compute them: '
                'hybrid-depth make-text-features'
            )
        try:
            with safe_open(path, 'pt') as file:
                facts = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise DamagedFileError(
                f'{path}: expected text features, got a damaged file ({error}); compute them '
                'again: hybrid-depth make-text-features'
            ) from error
        digests, features = tensors.get('digests'), tensors.get('features')
        sha256, _, tower = facts.get('tower', '').partition(' ')
        if not (
            tower
            and digests is not None
            and features is not None
            and features.ndim == 2
            and features.is_floating_point()
            and digests.dtype == torch.uint8
            and digests.shape == (len(features), 32)
        ):
            shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
            raise DamagedFileError(
                f'{path}: expected text features (digests (N, 32), features (N, E) and the tower), '
                f'got {shapes} and {sorted(facts)}; compute them: hybrid-depth make-text-features'
            )
        rows = {bytes(digest): i for i, digest in enumerate(digests.numpy())}
        return cls(tower, sha256, features, rows)
