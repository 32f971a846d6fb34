"""PNG files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image


def write_png(image: np.ndarray, path: Path) -> None:
    """Write (H, W, 3) uint8 RGB under a temporary name, then move it to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f'.{path.name}.unfinished')
    try:
        Image.fromarray(image).save(unfinished, format='PNG', compress_level=3)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
