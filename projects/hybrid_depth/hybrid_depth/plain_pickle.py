"""Pickles of plain data: numbers, text, lists, dicts and numpy arrays.

A pickle can name any function to be called on loading. numpy's own functions are no exception: they
write what a file says about a data type into memory, and crash on wrong statements. A file gets
stand-ins for them, which check its statements and make the array from these.
"""

from __future__ import annotations

import math
import pickle
import re
from typing import IO, Any

import numpy as np

from .errors import DamagedFileError, UnsafeFileError

_TYPE_CODE = re.compile(r'b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU][1-9]\d{0,8}|O[48]?')
_NDARRAY = 'numpy.ndarray'  # what a file gets for the class itself


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
    """Stand-in for an array until `settle` puts that in its place.

    Attributes:
        value: the array.
    """

    __slots__ = ('value',)
    __hash__ = None

    def __setstate__(self, state: tuple) -> None:
        _version, shape, kind, fortran, content = state
        self.value = _array(content, kind.dtype, shape, 'F' if fortran else 'C')


def _array(content: Any, dtype: np.dtype, shape: tuple, order: str) -> np.ndarray:
    """An array with memory of its own.

    Raises:
        ValueError: the content has another length than the shape.
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
    """What a file may call. It gets bound methods, of which it cannot set an attribute."""

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
        """_codecs.encode, as which protocols 0 to 2 write bytes"""
        if encoding not in ('latin1', 'latin-1'):
            raise UnsafeFileError(f'bytes in the encoding {str(encoding)[:40]!r}')
        return text.encode('latin1')

    def no_bytes(self) -> bytes:
        """bytes, as which protocols 0 to 2 write those of length 0"""
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


#: What a file gets for each name that it may use.
STAND_INS = _stand_ins()


class _PlainUnpickler(pickle.Unpickler):
    has_arrays = False

    def find_class(self, module: str, name: str) -> Any:
        if f'{module}.{name}' not in STAND_INS:
            raise UnsafeFileError(f'{module}.{name}')
        self.has_arrays |= name == '_reconstruct'
        return STAND_INS[f'{module}.{name}']


def load_plain(file: IO[bytes]) -> Any:
    """Read a pickle of plain data; nothing in it is run.

    Args:
        file: opened, at the pickle's start.

    Raises:
        UnsafeFileError: it names something else than numpy's arrays.
        DamagedFileError: it does not read to its end.

    Example:
        >>> import io
        >>> load_plain(io.BytesIO(pickle.dumps(dict(size=np.arange(3)))))
        {'size': array([0, 1, 2])}
    """
    try:
        unpickler = _PlainUnpickler(file)
        content = unpickler.load()
        # looking through 30,000 samples takes longer than reading them
        return settle(content) if unpickler.has_arrays else content
    except UnsafeFileError as error:
        raise UnsafeFileError(
            f'expected numbers, text, lists, dicts and numpy arrays of numbers, got {error}. '
            'Loading it could run code, so it was not loaded. Do not use files that you do not '
            'trust; write one of your own again with plain values (x.tolist())'
        ) from error
    except Exception as error:  # whatever the bytes of a damaged file lead to
        raise DamagedFileError(
            f'expected a whole pickle, got one that does not read ({type(error).__name__}: '
            f'{str(error)[:200]}); write or fetch it again'
        ) from error


def settle(content: Any, objects: tuple[type, ...] = ()) -> Any:
    """Put arrays in the place of their stand-ins, in lists, dicts, tuples and object arrays.

    Args:
        content: what was read; lists and dicts are changed in place.
        objects: classes whose attributes are looked through too.
    """
    looked_through = (PlainArray, dict, list, *objects)
    done: dict[int, tuple[Any, Any]] = {}  # by identity; keeping the node keeps its number its own

    def visit(node: Any) -> Any:
        if not (type(node) is tuple or isinstance(node, looked_through)):
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
