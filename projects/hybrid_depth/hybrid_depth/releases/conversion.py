"""Result of the conversion of an official release."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import HybridDepthError


class ReleaseError(HybridDepthError, ValueError):
    """Release that cannot be converted."""


@dataclass
class Conversion:
    """Official release with this toolkit's names.

    Attributes:
        state_dict: weights.
        files: files read.
        config: config of the model, relative to `configs/`, or an absolute path.
        overrides: required changes of that config, as in `--cfg-options`.
        dropped: reason by dropped key ('file:key' if there are several files).
        derived: origin by key of `state_dict`, of tensors that are not copies.
        facts: settings in the release, for the checkpoint's `meta`.
        notes: messages for the user.
    """

    state_dict: dict[str, Tensor]
    files: list[Path]
    config: str
    overrides: dict[str, Any] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def kept(self) -> list[str]:
        """Keys of tensors copied from the release."""
        return [key for key in self.state_dict if key not in self.derived]


def split_scalars(
    official: Mapping[str, Any], file: str
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Split the entries of one file into tensors and plain settings (such as height and width).

    Raises:
        ReleaseError: the file has other entries, or no tensor.
    """
    tensors = {k: v for k, v in official.items() if isinstance(v, Tensor)}
    others = {k: v for k, v in official.items() if k not in tensors}
    other = [k for k, v in others.items() if not isinstance(v, (bool, int, float, str))]
    if other or not tensors:
        raise ReleaseError(
            f'{file}: expected tensors by name, and settings, got {len(tensors)} tensors and '
            f'{other[:5] or "nothing else"}; is it another file of the release?'
        )
    return tensors, others


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
