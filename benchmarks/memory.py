"""Peak memory of a call on Linux."""

import ctypes
import re
from collections.abc import Callable
from pathlib import Path

STATUS, CLEAR = Path('/proc/self/status'), Path('/proc/self/clear_refs')


def _status_kib(field: str) -> int:
    return int(re.search(rf'^{field}:\s+(\d+) kB', STATUS.read_text(), re.MULTILINE).group(1))


def peak_mib(call: Callable[[], object]) -> float:
    """Highest resident memory during ``call`` above what was resident before, MiB.

    Memory that the allocator keeps for re-use is given back and the kernel's high-water mark reset
    first, so that earlier peaks do not hide this one.
    """
    ctypes.CDLL('libc.so.6').malloc_trim(0)
    CLEAR.write_text('5')
    before = _status_kib('VmRSS')
    call()
    return (_status_kib('VmHWM') - before) / 1024
