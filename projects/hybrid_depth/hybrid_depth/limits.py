"""Limits for files that would fill the memory, checked before memory is taken.

One setting, the environment variable HYBRID_DEPTH_MAX_MIB: the memory that the content of one file
may take, in MiB (default 4096). Images may take an eighth of it, as many are open at a time.
"""

from __future__ import annotations

import os
from pathlib import Path

from .errors import ConfigError, HybridDepthError

SETTING = 'HYBRID_DEPTH_MAX_MIB'
_DEFAULT = 4096
IMAGE_SHARE = 8
TEXT_SHARE = 2  # JSON takes several times its size


class TooLargeError(HybridDepthError, ValueError):
    """File whose content would take more memory than the limit."""


def max_bytes() -> int:
    """The limit.

    Raises:
        ConfigError: the setting is not a positive number.
    """
    text = os.environ.get(SETTING, str(_DEFAULT))
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ConfigError(f'{SETTING} expected a whole number of MiB, got {text!r}')
    return int(text) << 20


def check_size(size: int, source: str | Path, share: int = 1) -> None:
    """Check the memory that a content would take.

    Args:
        size: bytes.
        source: file, for the error.
        share: the content may take this part of the limit, 1 / share.

    Raises:
        TooLargeError: more than the limit.

    Example:
        >>> check_size(1 << 50, 'bomb.npz')
        Traceback (most recent call last):
        hybrid_depth.limits.TooLargeError: bomb.npz: expected content of at most 4096 MiB, got ...
    """
    limit = max_bytes() // share
    if size > limit:
        raise TooLargeError(
            f'{source}: expected content of at most {limit >> 20} MiB, got {size >> 20} MiB. Is '
            f'the file damaged? If it is right, raise the limit: export {SETTING}='
            f'{(size * share >> 20) + 1}'
        )


def check_file(path: str | Path, share: int = 1) -> None:
    """Check the size of a file that is read as it is; errors as of `check_size`."""
    check_size(os.path.getsize(path), path, share)


def check_pixels(size: tuple[int, int], source: str | Path) -> None:
    """Check the (width, height) of an image, 4 bytes per pixel; errors as of `check_size`."""
    check_size(4 * size[0] * size[1], source, IMAGE_SHARE)
