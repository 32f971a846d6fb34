"""Largest matrix product of this machine, the measure of what a network reaches."""

import time
from collections.abc import Callable

import torch


def seconds_of(call: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def peak_flops(size: int = 2048, repeats: int = 5) -> float:
    """Floating-point operations per second of a large matrix product, the best of some."""
    a, b = torch.rand(2, size, size)
    return 2 * size**3 / min(seconds_of(lambda: a @ b) for _ in range(repeats))
