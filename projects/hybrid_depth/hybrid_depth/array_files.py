"""Arrays saved by numpy, of any origin."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from .errors import DamagedFileError, HybridDepthError
from .limits import check_file, check_size
from .plain_pickle import load_plain


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Arrays of a .npy or .npz file by name; arrays of arrays as plain pickles.

    Raises:
        FileNotFoundError: no such file.
        TooLargeError: their memory is over the limit.
        DamagedFileError: damaged, or a header that does not fit the file.
        UnsafeFileError: objects that are not arrays.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'expected arrays in {path}, which does not exist')
    check_file(path)
    try:
        if path.suffix == '.npy':
            with open(path, 'rb') as file:
                return {path.stem: _read(file, path.stat().st_size, path)}
        return _read_archive(path)
    except (HybridDepthError, PermissionError):
        raise
    except Exception as error:  # whatever damaged bytes lead to: numpy parses the header as Python
        raise DamagedFileError(
            f'{path}: expected arrays saved by numpy, got an unreadable file ({error}). '
            'Write it again with numpy.save or numpy.savez_compressed.'
        ) from error


def _read_archive(path: Path) -> dict[str, np.ndarray]:
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        check_size(sum(member.file_size for member in members), path)
        for member in members:
            with archive.open(member) as file:
                name = member.filename.removesuffix('.npy')
                arrays[name] = _read(file, member.file_size, path)
    return arrays


def _read(file: IO[bytes], size: int, path: Path) -> np.ndarray:
    """Array from an open .npy file of that size, whose header is checked before memory is taken."""
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read_header(file)
    if dtype.hasobject:
        return load_plain(file)
    needed = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or needed > size:
        raise DamagedFileError(
            f'{path}: expected {needed} bytes for an array {shape} of {dtype}, got a file of '
            f'{size} bytes: it is cut short. Write or copy it again'
        )
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)
