"""Peak memory of a call on Linux."""

import ctypes
import re
from collections.abc import Callable
from pathlib import Path

STATUS, CLEAR = Path('/proc/self/status'), Path('/proc/self/clear_refs')


def _status_kib(field: str) -> int:
    return int(re.search(rf'^{field}:\s+(\d+) kB', STATUS.read_text(), re.MULTILINE).group(1))


def resident_kib() -> int:
    """Resident memory of this process, KiB."""
    return _status_kib('VmRSS')


def start() -> float:
    """Reset the high-water mark; returns the current resident memory, MiB.

    Memory cached by the allocator is released first, so that it does not hide the peak.
    """
    ctypes.CDLL('libc.so.6').malloc_trim(0)
    CLEAR.write_text('5')
    return resident_kib() / 1024


def peak_above(before: float) -> float:
    """Highest resident memory since ``start`` above its result, MiB."""
    return _status_kib('VmHWM') / 1024 - before


def peak_mib(call: Callable[[], object]) -> float:
    """Highest resident memory during ``call`` above that before, MiB."""
    before = start()
    call()
    return peak_above(before)
