"""Failures of cameras of a rig: dead for a drive, or dropping frames."""

from __future__ import annotations

import zlib

import numpy as np

from .corruptions import image_generator

#: Share of the cameras that are dead, and probability that a frame is lost, by strength: 2, 4 and 5
#: of six (docs/reference/robustness.md, "Corruptions").
SHARES = (2 / 6, 4 / 6, 5 / 6)


def dead_cameras(cameras: int, strength: int, scene: str, seed: int) -> np.ndarray:
    """Cameras that give black images in a whole scene, at least one and never all.

    A stronger failure adds cameras to those of a weaker one.

    Args:
        cameras: number of cameras of the rig, two or more.
        strength: 1, 2 or 3.
        scene: name of the scene, which has the same dead cameras in all frames.
        seed: seed of the random numbers.

    Returns:
        (cameras,) bool.
    """
    generator = np.random.default_rng([seed, zlib.crc32(scene.encode())])
    count = min(max(round(cameras * SHARES[strength - 1]), 1), cameras - 1)
    dead = np.zeros(cameras, bool)
    dead[generator.permutation(cameras)[:count]] = True
    return dead


def is_lost(image: np.ndarray, strength: int, seed: int) -> bool:
    """Whether a camera's image (H, W, 3) is lost; each by itself, also in the next frame's
    history."""
    return bool(image_generator(image, 'frame_lost', seed).random() < SHARES[strength - 1])
