"""An official release, read and renamed: what was kept, dropped and derived."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import HybridDepthError


class ReleaseError(HybridDepthError, ValueError):
    """A release that cannot be converted; the text says what was expected, got, and what to do."""


@dataclass
class Conversion:
    """A release in this toolkit's names.

    Attributes:
        state_dict: the weights.
        files: what was read.
        config: config of the model they are for, relative to `configs/`, or a whole path.
        overrides: what has to be changed in that config for them to fit, as in `--cfg-options`.
        dropped: key (as 'file:key' where there are several files) -> reason.
        derived: key of `state_dict` -> what it was made of.
        facts: what the release says about itself, for the checkpoint's `meta`.
        notes: lines for the reader.
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
        """Keys that are tensors of the release, renamed."""
        return [key for key in self.state_dict if key not in self.derived]


def split_scalars(
    official: Mapping[str, Any], file: str
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and plain settings (such as height and width) of one file.

    Raises:
        ReleaseError: the file holds something else, or no tensor.
    """
    tensors = {k: v for k, v in official.items() if isinstance(v, Tensor)}
    others = {k: v for k, v in official.items() if k not in tensors}
    strange = [k for k, v in others.items() if not isinstance(v, (bool, int, float, str))]
    if strange or not tensors:
        raise ReleaseError(
            f'{file}: expected tensors by name, and settings, got {len(tensors)} tensors and '
            f'{strange[:5] or "nothing else"}; is it another file of the release?'
        )
    return tensors, others


def sha256(path: Path) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
