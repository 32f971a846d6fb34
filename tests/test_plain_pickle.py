import io
import pickle

import numpy as np
import pytest

from hybrid_depth.errors import DamagedFileError, UnsafeFileError
from hybrid_depth.plain_pickle import load_plain
from tests.hostile import (
    FALSE_FLAGS,
    Says,
    lying_array,
    numpy_lies,
    payloads,
    said_type,
    scalar,
    written_by_hand,
)

ARRAYS = {
    'matrix': np.arange(6.0).reshape(2, 3),
    'column by column': np.asfortranarray(np.arange(6).reshape(2, 3)),
    'transposed': np.arange(24, dtype=np.float16).reshape(2, 3, 4).transpose(1, 0, 2),
    'big-endian': np.arange(3, dtype='>i2'),
    'text': np.array(['car', 'bus stop']),
    'bytes': np.array([b'ab', b'c']),
    'truth': np.array([True, False]),
    'complex': np.array([1 + 2j], dtype=np.complex64),
    'empty': np.zeros((0, 9), dtype=np.float32),
    'no dimension': np.array(2.5),
}
SCALARS = [np.float32(1.5), np.int64(-3), np.uint8(200), np.bool_(True), np.str_('animal')]


def loads(content: bytes):
    return load_plain(io.BytesIO(content))


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_is_read_as_it_was(protocol):
    shared = [1, 2]
    plain = dict(a=[1, -(2**70), 0.1, 'text', 'ü', b'\xff', None, True, (1, (2, {}))], b=shared)
    loaded = loads(pickle.dumps([plain, shared, SCALARS, ARRAYS, (ARRAYS['text'],)], protocol))
    assert loaded[0] == plain and loaded[0]['b'] is loaded[1]
    for made, given in zip(loaded[2], SCALARS, strict=True):
        assert type(made) is type(given) and made == given
    for name, given in ARRAYS.items():
        made = loaded[3][name]
        assert type(made) is np.ndarray and made.dtype == given.dtype, name
        np.testing.assert_array_equal(made, given)
        made[...] = made  # it can be written
    assert loaded[4][0] is loaded[3]['text']


@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_files_of_numpy_1_and_2_are_read_by_both(protocol):
    """numpy 2 moved numpy.core to numpy._core, and pickles say where a function was."""
    ours = pickle.dumps([np.float32(2), np.arange(3)], protocol)
    new = b'numpy._core' in ours
    old, there = (b'numpy._core', b'numpy.core') if new else (b'numpy.core', b'numpy._core')
    moved = ours
    for function in (b'.multiarray', b'.numeric'):
        longer, shorter = old + function, there + function
        moved = moved.replace(bytes([len(longer)]) + longer, bytes([len(shorter)]) + shorter)
        moved = moved.replace(b'c' + longer, b'c' + shorter)
    if protocol > 2:  # without its frame, whose length is another now
        moved = moved[:2] + moved[11:]
    assert there in moved and old not in moved
    scalar, array = loads(moved)
    assert scalar == np.float32(2)
    np.testing.assert_array_equal(array, np.arange(3))


def test_arrays_of_arrays_and_of_text_are_read():
    ragged = np.empty(2, dtype=object)
    ragged[:] = [np.arange(2), np.arange(3)]
    (loaded,) = loads(pickle.dumps([ragged]))
    np.testing.assert_array_equal(loaded[1], np.arange(3))
    assert loads(pickle.dumps(np.array([['a', None]], dtype=object))).tolist() == [['a', None]]


def test_lists_that_hold_themselves():
    loop = [np.arange(2)]
    loop.append(loop)
    loaded = loads(pickle.dumps(loop))
    assert loaded[1] is loaded and loaded[0].tolist() == [0, 1]


@pytest.mark.parametrize('name', sorted(payloads('x').keys() - {'partial', 'getattr'}))
def test_the_payloads_are_real(tmp_path, name):
    """Guards the tests of all readers: loaded unsafely, they run. (Two are steps of others.)"""
    marker = tmp_path / 'code-has-run'
    made = pickle.loads(pickle.dumps(payloads(marker)[name]))
    for wait in (getattr(made, 'wait', None), getattr(made, 'close', None)):
        if wait is not None:
            wait()
    assert marker.exists() or (tmp_path / 'code-has-run.npy').exists()


@pytest.mark.parametrize('protocol', [0, 2, 4])
@pytest.mark.parametrize('name', list(payloads('x')))
def test_code_is_refused_and_not_run(tmp_path, name, protocol):
    marker = tmp_path / 'code-has-run'
    content = dict(metainfo={}, x=[np.arange(2), payloads(marker)[name]])
    with pytest.raises(UnsafeFileError, match=r'got [\w.]+\. Loading it could run code.*trust'):
        loads(pickle.dumps(content, protocol))
    assert not marker.exists()


@pytest.mark.parametrize('name', list(written_by_hand('x')))
def test_pickles_written_by_hand_are_refused(tmp_path, name):
    marker = tmp_path / 'code-has-run'
    with pytest.raises((UnsafeFileError, DamagedFileError)):
        loads(written_by_hand(marker)[name])
    assert not marker.exists()
    assert loads(pickle.dumps(np.arange(2.0))).tolist() == [0, 1]  # the stand-ins are as before


def test_the_true_twins_of_the_lies_are_read():
    """Guards the next test: it is the lies that are refused."""
    for protocol in (2, 4):
        (value,) = loads(pickle.dumps(lying_array(said_type('f8')), protocol))
        assert value == np.frombuffer(b'A' * 8)[0]
        assert loads(pickle.dumps(FALSE_FLAGS, protocol)).tolist() == [value]  # they are not taken
        assert loads(pickle.dumps(Says(scalar, (said_type('f8'), b'A' * 8)), protocol)) == value


@pytest.mark.parametrize('protocol', [0, 2, 4])
@pytest.mark.parametrize('name', list(numpy_lies()))
def test_lies_about_arrays_are_refused(name, protocol):
    """numpy itself ends in a segmentation fault where a data type says that bytes are objects."""
    with pytest.raises((UnsafeFileError, DamagedFileError)):
        loads(pickle.dumps(numpy_lies()[name], protocol))


def test_an_array_is_no_key():
    content = b'(d' + pickle.dumps(np.arange(2), 2)[2:-1] + b'I1\ns.'
    with pytest.raises(DamagedFileError, match='unhashable'):
        loads(content)


@pytest.mark.parametrize('cut', [0, 1, 2, 5, 20, 60, -20, -1])
def test_files_cut_short(cut):
    whole = pickle.dumps([np.arange(3), SCALARS, 'text'], 2)
    with pytest.raises(DamagedFileError, match='expected a complete pickle.*again'):
        loads(whole[:cut])


@pytest.mark.parametrize(
    'content',
    [
        b'\x00' * 100,
        b'{"data_list": []}',
        b'PK\x03\x04 zip',
        b'\x89PNG\r\n',
        b'version https://git-lfs.github.com/spec/v1\n',
        b'<!DOCTYPE html>',
        b'\x80\xff.',
        b'h\x07.',
        b'(' * 500,
        b'](' * 3 + b'.',
        b'I' + b'9' * 5000 + b'\n.',
        b'\x80\x04\x8d' + b'\xff' * 8 + b'.',
        b'}(' + b'](K\x01tu.',
        pickle.dumps([1, 2], 2).replace(b'K', b'Q'),
    ],
)
def test_other_files_are_called_damaged(content):
    with pytest.raises((DamagedFileError, UnsafeFileError)):
        loads(content)


def test_deeply_nested_arrays_are_an_error_and_no_crash():
    content = b']' * 100_000 + pickle.dumps(np.arange(2), 2)[2:-1] + b'a' * 100_000 + b'.'
    with pytest.raises(DamagedFileError):
        loads(content)


def test_tuples_that_double_are_read_in_no_time():
    node = np.arange(2)
    for _ in range(60):
        node = (node, node)
    assert loads(pickle.dumps([node]))[0][0] is not None
