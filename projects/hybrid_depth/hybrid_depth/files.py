"""Output files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def atomic_file(path: str | Path, mode: str = 'wb') -> Iterator[IO]:
    """Write to a temporary file beside ``path``, moved there when the block ends well.

    Missing folders are made. After an error or a kill, what was at ``path`` before is still there.

    Args:
        path: the file to write.
        mode: 'wb' or 'w'.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        with open(temporary, mode) as file:
            yield file
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
