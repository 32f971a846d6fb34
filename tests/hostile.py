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

_numpy = np.array([0.0]).__reduce__()[0], np.float64(0).__reduce__()[0]
_reconstruct, scalar = _numpy  # wherever this numpy has them


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


class Says:
    """A pickle of this calls a function, and gives what comes of it a state."""

    def __init__(self, function, arguments: tuple, state=None) -> None:
        self.said = (function, arguments, state)

    def __reduce__(self):
        return self.said if self.said[2] is not None else self.said[:2]


def said_type(code, state=(3, '<', None, None, None, -1, -1, 0)) -> Says:
    return Says(np.dtype, (code, False, True), state)


def lying_array(kind: Says, shape=(1,), content=b'A' * 8, owner=np.ndarray) -> Says:
    return Says(_reconstruct, (owner, (0,), b'b'), (1, shape, kind, False, content))


#: An array of a number whose flags say that it is an object; numpy would release it as one.
FALSE_FLAGS = lying_array(said_type('f8', (3, '<', None, None, None, 8, 8, 63)))


def numpy_lies() -> dict[str, object]:
    """What a file may say about arrays that is not so; numpy's own reader crashes on some."""
    plain, objects = said_type('f8'), np.dtype('O')
    fields = (3, '<', None, ('a',), {'a': (objects, 0)}, 8, 8, 0)
    return {
        'fields of objects': lying_array(said_type('f8', fields)),
        'subarray': lying_array(said_type('f8', (3, '<', (objects, (1,)), None, None, 8, 8, 0))),
        'raw memory': lying_array(said_type('V8')),
        'objects of bytes': lying_array(said_type('O8'), content=3),
        'time': lying_array(said_type('M8')),
        'record': lying_array(said_type('f8,O')),
        'type by a number': lying_array(said_type(8)),
        'type by a list': lying_array(said_type(['f8'])),
        'type of 10 GB': lying_array(said_type('S10000000000')),
        'state cut short': lying_array(said_type('f8', (3, '<'))),
        'state of text': lying_array(said_type('f8', 'abc')),
        'byte order': lying_array(said_type('f8', (3, 'x', None, None, None, -1, -1, 0))),
        'no data type': lying_array(3),
        'too large': lying_array(plain, (10**12,)),
        'too small': lying_array(plain, (0,)),
        'overflow': lying_array(plain, (2**62 + 1, 4)),
        'negative': lying_array(plain, (-1, -1)),
        'shape of text': lying_array(plain, 'a'),
        'content of text': lying_array(plain, content='A' * 8),
        'no content': lying_array(plain, content=None),
        'array of another class': lying_array(plain, owner=np.dtype),
        'no array at all': [Says(_reconstruct, (np.ndarray, (0,), b'b'))],
        'state of numbers': Says(_reconstruct, (np.ndarray, (0,), b'b'), 7),
        'scalar too long': Says(scalar, (plain, b'A' * 9)),
        'scalar of an object': Says(scalar, (said_type('O8'), {})),
        'scalar of nothing': Says(scalar, ()),
        'class called': Says(np.ndarray, ((4,), objects)),
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
