"""Objects whose pickles would make a file if they were loaded, and pickles written by hand."""

import functools
import io
import logging
import os
import pickle
import shutil
import sqlite3
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging.history_buffer import HistoryBuffer


class Calls:
    """A pickle of this calls a function when it is loaded."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def payloads(marker: Path) -> dict[str, object]:
    """By what is called; each makes `marker`."""
    text, command = str(marker), f'touch {marker}'
    program = f'open({text!r}, "w")'
    return {
        'system': Calls(os.system, command),
        'popen': Calls(os.popen, command),
        'Popen': Calls(subprocess.Popen, ['touch', text]),
        'exec': Calls(exec, program),
        'eval': Calls(eval, program),
        'open': Calls(io.open, text, 'w'),
        'Path.touch': Calls(Path.touch, marker),
        'partial': Calls(functools.partial, os.system, command),
        'copyfile': Calls(shutil.copyfile, __file__, text),
        'connect': Calls(sqlite3.connect, text),
        'ZipFile': Calls(zipfile.ZipFile, text, 'w'),
        'FileHandler': Calls(logging.FileHandler, text),
        'memmap': Calls(np.memmap, text, 'uint8', 'w+', 0, (1,)),
        'save': Calls(np.save, text, 0),
        'loads': Calls(pickle.loads, pickle.dumps(Calls(os.system, command))),
        'Config.fromstring': Calls(Config.fromstring, program, '.py'),
        'getattr': Calls(getattr, HistoryBuffer, '__init__'),
    }


def written_by_hand(marker: Path) -> dict[str, bytes]:
    """Pickles that Python does not write, by the opcode or the trick."""
    command = f'touch {marker}'.encode()
    system = b'cos\nsystem\n'
    return {
        'GLOBAL': system + b"(S'" + command + b"'\ntR.",
        'INST': b"(S'" + command + b"'\nios\nsystem\n.",
        'OBJ': b'(' + system + b"S'" + command + b"'\no.",
        'STACK_GLOBAL': b'\x80\x04\x8c\x02os\x8c\x06system\x93\x8c'
        + bytes([len(command)])
        + command
        + b'\x85R.',
        'python 2': b"c__builtin__\nexec\n(S'open(1)'\ntR.",
        'nested name': b'\x80\x04\x8c\x05numpy\x8c\x0bos.listdir\x93)R.',
        'name below an allowed one': b'\x80\x04\x8c\x05numpy\x8c\x10ndarray.__reduce__\x93.',
        'extension registry': b'\x82\x01.',
        'persistent id': b'P' + command + b'\n.',
        'attribute of a stand-in': b"cnumpy\ndtype\n(N}S'__call__'\n" + system + b'stb.',
        'class of a stand-in': b"cnumpy\ndtype\n(S'f8'\ntR(N}S'__class__'\ncnumpy\nndarray\nstb.",
        'call of the array class': b'cnumpy\nndarray\n((I4\ntcnumpy\ndtype\n(S"O"\ntRtR.',
        'codec': b'c_codecs\nencode\n(VAAAA\nVrot13\ntR.',
    }


_RECONSTRUCT = b'cnumpy.core.multiarray\n_reconstruct\n'
_EMPTY = _RECONSTRUCT + b"(cnumpy\nndarray\n(I0\ntS'b'\ntR"
_F8, _PLAIN = b"S'f8'\n", b"(I3\nS'<'\nNNNI-1\nI-1\nI0\nt"
_DOUBLE = b'cnumpy\ndtype\n(' + _F8 + b'I00\nI01\ntR'
_OBJECT = b"cnumpy\ndtype\n(S'O8'\nI00\nI01\ntR"


def _bytes(count: int) -> bytes:
    return b'c_codecs\nencode\n(V' + b'A' * count + b'\nVlatin1\ntR'


def _array(kind: bytes, state: bytes, shape: bytes = b'(I1\nt') -> bytes:
    """Pickle of an array of 8 bytes: code and state of its data type, and shape, as opcodes."""
    data_type = b'cnumpy\ndtype\n(' + kind + b'I00\nI01\ntR' + state + b'b'
    return _EMPTY + b'(I1\n' + shape + data_type + b'I00\n' + _bytes(8) + b'tb.'


def numpy_lies() -> dict[str, bytes]:
    """What a file may say about arrays that is not so; numpy's own reader crashes on some."""
    fields = b"(I3\nS'<'\nN(S'a'\nt(dS'a'\n(" + _OBJECT + b'I0\ntsI8\nI8\nI0\nt'
    return {
        'fields of objects': _array(_F8, fields),
        'flags of objects': _array(_F8, b"(I3\nS'<'\nNNNI8\nI8\nI63\nt", b'(I2\nt'),
        'subarray': _array(_F8, b"(I3\nS'<'\n(" + _OBJECT + b'(I1\ntt' + b'NNI8\nI8\nI0\nt'),
        'raw memory': _array(b"S'V8'\n", _PLAIN),
        'objects of bytes': _array(b"S'O8'\n", _PLAIN),
        'time': _array(b"S'M8'\n", _PLAIN),
        'record': _array(b"S'f8,O'\n", _PLAIN),
        'type by a number': _array(b'I8\n', _PLAIN),
        'type of 10 GB': _array(b"S'S10000000000'\n", _PLAIN),
        'state cut short': _array(_F8, b"(I3\nS'<'\nt"),
        'state of text': _array(_F8, b"S'abc'\n"),
        'byte order': _array(_F8, b"(I3\nS'x'\nNNNI-1\nI-1\nI0\nt"),
        'too large': _array(_F8, _PLAIN, b'(I1000000000000\nt'),
        'too small': _array(_F8, _PLAIN, b'(I0\nt'),
        'overflow': _array(_F8, _PLAIN, b'(I4611686018427387905\nI4\nt'),
        'negative': _array(_F8, _PLAIN, b'(I-1\nI-1\nt'),
        'shape of text': _array(_F8, _PLAIN, b"S'a'\n"),
        'array of another class': _RECONSTRUCT + b"(cnumpy\ndtype\n(tS'b'\ntR.",
        'no array at all': _EMPTY + b'.',
        'scalar too long': b'cnumpy.core.multiarray\nscalar\n(' + _DOUBLE + _bytes(9) + b'tR.',
        'scalar of an object': b'cnumpy.core.multiarray\nscalar\n(' + _OBJECT + b'(dtR.',
        'key of a dict': b'(d' + _array(_F8, _PLAIN)[:-1] + b'I1\ns.',
    }


class Program(torch.nn.Module):
    """A TorchScript program, which runs where it is loaded."""

    def __init__(self, marker: str) -> None:
        super().__init__()
        self.marker = marker

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x

    @torch.jit.export
    def __getstate__(self) -> tuple[str, bool]:
        return (self.marker, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]) -> None:
        self.marker = state[0]
        self.training = state[1]
        torch.save(torch.zeros(1), state[0])


FILE_KINDS = ('zip', 'legacy', 'pickle', 'npz', 'program')


def hostile_file(kind: str, folder: Path, marker: Path) -> Path:
    """A file of weights that makes `marker` where it is loaded without care."""
    state, path = {'state_dict': {'x': payloads(marker)['system']}}, folder / 'hostile.pth'
    if kind == 'zip':
        torch.save(state, path)
    elif kind == 'legacy':
        torch.save(state, path, _use_new_zipfile_serialization=False)
    elif kind == 'pickle':
        path.write_bytes(pickle.dumps(state))
    elif kind == 'npz':
        path = path.with_suffix('.npz')
        np.savez(path, **{'params/x': np.array([state['state_dict']['x']], dtype=object)})
    else:
        torch.jit.save(torch.jit.script(Program(str(marker))), path)
    marker.unlink(missing_ok=True)  # a program is run where it is compiled, too
    return path
