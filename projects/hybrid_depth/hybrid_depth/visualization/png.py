"""PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..files import atomic_file


def write_png(image: np.ndarray, path: Path) -> None:
    """Write (H, W, 3) uint8 RGB; the file appears whole or not at all."""
    with atomic_file(path) as file:
        Image.fromarray(image).save(file, format='PNG', compress_level=3)
