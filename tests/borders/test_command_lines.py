"""Ends of command lines: errors of the system and Ctrl-C are no tracebacks."""

import errno

import pytest

from hybrid_depth.cli import run


def raising(error):
    def function():
        raise error

    return function


@pytest.mark.parametrize(
    ('error', 'text'),
    [
        (OSError(errno.ENOSPC, 'No space left on device', 'out/a.npy'), 'out/a.npy'),
        (PermissionError(errno.EACCES, 'Permission denied', 'out'), "Permission denied: 'out'"),
        (OSError(errno.EROFS, 'Read-only file system', 'out'), 'Read-only'),
        (IsADirectoryError(errno.EISDIR, 'Is a directory', 'a.pth'), 'a.pth'),
        (NotADirectoryError(errno.ENOTDIR, 'Not a directory', 'a/b'), 'a/b'),
        (FileNotFoundError('expected a.pth'), 'expected a.pth'),
    ],
)
def test_errors_of_the_system_are_sentences(error, text):
    with pytest.raises(SystemExit) as end:
        run(raising(error))
    assert str(end.value.code).startswith('error: ') and text in end.value.code


def test_ctrl_c(capsys):
    with pytest.raises(SystemExit) as end:
        run(raising(KeyboardInterrupt()))
    assert end.value.code == 130 and capsys.readouterr().err == 'interrupted\n'


@pytest.mark.parametrize('error', [OSError('of a library'), ValueError('a fault of ours')])
def test_faults_of_ours_keep_their_traceback(error):
    with pytest.raises(type(error)):
        run(raising(error))
