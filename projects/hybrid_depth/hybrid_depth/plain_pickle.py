"""Pickles of plain data: numbers, text, lists, dicts and numpy arrays.

A pickle can name any function to be called on loading. numpy's functions are unsafe as well: they
copy the data type described in a file into memory, and crash on invalid descriptions. They are
replaced by stand-ins, which validate the description and build the array from it.
"""

from __future__ import annotations

import math
import pickle
import re
from typing import IO, Any

import numpy as np

from .errors import DamagedFileError, UnsafeFileError

_TYPE_CODE = re.compile(r'b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU][1-9]\d{0,8}|O[48]?')
_NDARRAY = 'numpy.ndarray'  # stand-in for the class


class PlainType:
    """Stand-in for a numpy data type: numbers, truth values, text, bytes or objects; no fields.

    Args:
        code: numpy's letter and size, such as 'f8'.

    Raises:
        UnsafeFileError: another data type.
    """

    __slots__ = ('dtype',)

    def __init__(self, code: str) -> None:
        if not (isinstance(code, str) and _TYPE_CODE.fullmatch(code)):
            raise UnsafeFileError(f'the numpy data type {str(code)[:40]!r}')
        self.dtype = np.dtype('O' if code[0] == 'O' else code)

    def __setstate__(self, state: tuple) -> None:
        _version, order, subtype, names, fields, *_sizes = state
        if order not in ('<', '>', '|', '=') or (subtype, names, fields) != (None, None, None):
            raise UnsafeFileError('a numpy data type with fields')
        self.dtype = self.dtype.newbyteorder(order)


class PlainArray:
    """Stand-in for an array until `settle` replaces it.

    Attributes:
        value: the array.
    """

    __slots__ = ('value',)
    __hash__ = None

    def __setstate__(self, state: tuple) -> None:
        _version, shape, kind, fortran, content = state
        self.value = _array(content, kind.dtype, shape, 'F' if fortran else 'C')


def _array(content: Any, dtype: np.dtype, shape: tuple, order: str) -> np.ndarray:
    """Array that owns its memory.

    Raises:
        ValueError: the content does not have the length of the shape.
    """
    if dtype.hasobject:
        items = np.empty(len(content), dtype=object)
        for place, item in enumerate(content):
            items[place] = item
        return items.reshape(shape, order=order)
    size = memoryview(content).nbytes
    if math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f'{size} bytes for an array {shape} of {dtype}')
    return np.ndarray(shape, dtype, bytes(content), order=order).copy(order)


class _Functions:
    """Functions that a file may call: bound methods, whose attributes it cannot set."""

    __slots__ = ()

    def data_type(self, code: str, *_copy: bool) -> PlainType:
        """numpy.dtype"""
        return PlainType(code)

    def reconstruct(self, owner: Any, *_empty: Any) -> PlainArray:
        """numpy.core.multiarray._reconstruct"""
        if owner != _NDARRAY:
            raise UnsafeFileError('a numpy array of another class')
        return PlainArray()

    def scalar(self, kind: PlainType, content: bytes) -> Any:
        """numpy.core.multiarray.scalar"""
        return _array(content, kind.dtype, (), 'C')[()]

    def from_buffer(
        self, content: Any, kind: PlainType, shape: Any, order: str, axes: tuple | None = None
    ) -> np.ndarray:
        """numpy.core.numeric._frombuffer, of protocol 5"""
        shape = shape if isinstance(shape, tuple) else (shape,)
        array = _array(content, kind.dtype, shape, 'F' if order == 'F' else 'C')
        return array if axes is None else array.transpose(axes)

    def encode(self, text: str, encoding: str) -> bytes:
        """_codecs.encode, with which protocols 0 to 2 write bytes"""
        if encoding not in ('latin1', 'latin-1'):
            raise UnsafeFileError(f'bytes in the encoding {str(encoding)[:40]!r}')
        return text.encode('latin1')

    def no_bytes(self) -> bytes:
        """bytes, with which protocols 0 to 2 write empty bytes"""
        return b''


def _stand_ins() -> dict[str, Any]:
    functions = _Functions()
    found = {_NDARRAY: _NDARRAY, 'numpy.dtype': functions.data_type}
    for core in ('numpy.core', 'numpy._core'):  # numpy 1 and 2 write these
        found[f'{core}.multiarray._reconstruct'] = functions.reconstruct
        found[f'{core}.multiarray.scalar'] = functions.scalar
        found[f'{core}.numeric._frombuffer'] = functions.from_buffer
    return found | {
        '_codecs.encode': functions.encode,
        '__builtin__.bytes': functions.no_bytes,
        'builtins.bytes': functions.no_bytes,
    }


#: Stand-in for each name that a file may use.
STAND_INS = _stand_ins()


class _PlainUnpickler(pickle.Unpickler):
    has_arrays = False

    def find_class(self, module: str, name: str) -> Any:
        if f'{module}.{name}' not in STAND_INS:
            raise UnsafeFileError(f'{module}.{name}')
        self.has_arrays |= name == '_reconstruct'
        return STAND_INS[f'{module}.{name}']


def load_plain(file: IO[bytes]) -> Any:
    """Read a pickle of plain data without running code in it.

    Args:
        file: opened in binary mode, at the start of the pickle.

    Raises:
        UnsafeFileError: it names anything but numpy's arrays.
        DamagedFileError: it is damaged or truncated.

    Example:
        >>> import io
        >>> load_plain(io.BytesIO(pickle.dumps(dict(size=np.arange(3)))))
        {'size': array([0, 1, 2])}
    """
    try:
        unpickler = _PlainUnpickler(file)
        content = unpickler.load()
        # searching 30,000 samples takes longer than reading them
        return settle(content) if unpickler.has_arrays else content
    except UnsafeFileError as error:
        raise UnsafeFileError(
            f'expected numbers, text, lists, dicts and numpy arrays of numbers, got {error}. '
            'Loading it could run code, so it was not loaded. Do not use files that you do not '
            'trust; write your own files again with plain values (x.tolist())'
        ) from error
    except Exception as error:  # whatever the bytes of a damaged file lead to
        raise DamagedFileError(
            f'expected a complete pickle, got a damaged one ({type(error).__name__}: '
            f'{str(error)[:200]}); write or download it again'
        ) from error


def settle(content: Any, objects: tuple[type, ...] = ()) -> Any:
    """Replace stand-ins by their arrays, in lists, dicts, tuples and object arrays.

    Args:
        content: what was read; lists and dicts are changed in place.
        objects: classes whose attributes are also searched.
    """
    searched = (PlainArray, dict, list, *objects)
    done: dict[int, tuple[Any, Any]] = {}  # by identity; a kept node keeps its id unique

    def visit(node: Any) -> Any:
        if not (type(node) is tuple or isinstance(node, searched)):
            return node
        if id(node) in done:
            return done[id(node)][1]
        result = node.value if isinstance(node, PlainArray) else node
        done[id(node)] = node, result
        if isinstance(node, PlainArray):
            if result.dtype.hasobject:
                for place in np.ndindex(result.shape):
                    result[place] = visit(result[place])
        elif isinstance(node, tuple):
            result = tuple(map(visit, node))
            done[id(node)] = node, result
        elif isinstance(node, list):
            node[:] = map(visit, node)
        else:
            attributes = node if isinstance(node, dict) else vars(node)
            for key, value in attributes.items():
                attributes[key] = visit(value)
        return result

    return visit(content)
