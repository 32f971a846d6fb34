"""Freed memory that stays in the process, to be used again.

glibc gives large blocks back to the system when they are freed, and takes them anew at the next
step: the system clears every page at its first use. On a CPU these page faults take a fifth of a
training step (docs/results.md, "Memory that stays").
"""

from __future__ import annotations

import ctypes
import os
import platform

# of malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BLOCK = 1 << 30  # larger ones are mapped and given back
_BLOCK_BEFORE_2_35 = 1 << 25  # the largest that earlier versions of glibc accept
_UNUSED = (1 << 31) - 1  # the largest number; more at the end of the heap is given back
SETTINGS = ('MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_')


def keep_freed_memory() -> bool:
    """Keep up to 2 GiB of freed memory in this process and those forked from it.

    The setting is of the whole process, so command lines make it, the library does not. What the
    user has set in the environment (`SETTINGS`, mallopt(3)) stays.

    Returns:
        Whether it is set; False without glibc, or if the user has set it.
    """
    if platform.libc_ver()[0] != 'glibc' or any(name in os.environ for name in SETTINGS):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    accepted = any(mallopt(_M_MMAP_THRESHOLD, size) for size in (_BLOCK, _BLOCK_BEFORE_2_35))
    return accepted and bool(mallopt(_M_TRIM_THRESHOLD, _UNUSED))
