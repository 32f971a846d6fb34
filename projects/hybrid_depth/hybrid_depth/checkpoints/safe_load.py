"""Safe reading of checkpoint files: code in a file is not run.

A `.pth` file is a pickle, and a pickle can name any function to be called on loading. torch's
`weights_only=True` calls only those on an allow-list; mmengine's checkpoints need a few more
(running averages of the log, numpy scalars). Only this module extends that list. `install()` makes
all checkpoint loaders of mmengine use it.

Checkpoints also contain text that mmengine executes: `Runner.resume` runs the config in `meta`, its
inferencers the one in the message hub. These entries are removed on loading.
"""

import errno
import pickle
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.runner import checkpoint as mmengine_checkpoint
from torch.hub import load_state_dict_from_url

from ..errors import HybridDepthError, UnsafeFileError
from ..plain_pickle import STAND_INS, PlainArray, PlainType, settle

#: Entries that mmengine runs as Python: the keys on the way to each.
_PROGRAMS = (('meta', 'config'), ('meta', 'cfg'), ('message_hub', 'runtime_info', 'cfg'))


class DamagedCheckpointError(HybridDepthError, RuntimeError):
    """A truncated or damaged checkpoint, or a file of another kind."""


class UnsafeCheckpointError(UnsafeFileError):
    """A checkpoint with a function or class that plain weights do not need."""


def history_statistic(owner: type, name: str) -> Any:
    """Restricted `getattr` for checkpoints, which mmengine uses for HistoryBuffer's statistics.

    The built-in would give a malicious file any attribute of any allowed object.

    Raises:
        UnsafeCheckpointError: anything but the four statistics of HistoryBuffer is requested.
    """
    if owner is not HistoryBuffer or name not in ('min', 'max', 'current', 'mean'):
        raise UnsafeCheckpointError(f'GLOBAL builtins.getattr({owner}, {name!r})')
    return getattr(HistoryBuffer, name)


def _allowed() -> list:
    """Allowed classes and functions beside torch's; a pair also gives the name used in files."""
    names = [(HistoryBuffer, 'mmengine.logging.history_buffer.HistoryBuffer')]
    names += [(history_statistic, 'builtins.getattr')]
    names += [(stand_in, name) for name, stand_in in STAND_INS.items()]
    # torch sets no state but of classes on the list
    return names + [(kind, f'hybrid_depth.{kind.__name__}') for kind in (PlainType, PlainArray)]


@contextmanager
def _explained(name: str | Path) -> Iterator[None]:
    """Context that turns torch's loading errors into errors with the file name and the remedy."""
    try:
        yield
    except pickle.UnpicklingError as error:
        found = re.search(r'GLOBAL (\S+)', str(error))
        reason = re.search(r'WeightsUnpickler error:\s*(.+)', str(error)) or [None, str(error)]
        what = f'global {found.group(1)}' if found else f'another kind of pickle ({reason[1]})'
        raise UnsafeCheckpointError(
            f'{name}: expected plain tensors, numbers and text, got {what}. Loading it could run '
            'code, so it was not loaded. Do not load files that you do not trust; ask the author '
            "for one saved with torch.save(model.state_dict(), 'file.pth')."
        ) from error
    except Exception as error:  # whatever the bytes of a damaged file lead to
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # wrong offsets in the file
            raise
        reason = str(error).splitlines()[0][:200] if str(error) else 'unexpected end of file'
        raise DamagedCheckpointError(
            f'{name}: expected a complete checkpoint written by torch.save, got a damaged file '
            f'({reason}). It may be truncated: download or write it again.'
        ) from error


def load_checkpoint_file(path: str | Path, map_location: Any = 'cpu') -> dict:
    """Read a checkpoint file without running code in it.

    Args:
        path: file written by `torch.save` (a state dict, or an mmengine checkpoint), or a
            `.safetensors` file.
        map_location: as in `torch.load`; `.safetensors` are read to the CPU.

    Raises:
        FileNotFoundError: the file does not exist.
        UnsafeCheckpointError: the file names code that weights do not need.
        DamagedCheckpointError: the file is damaged, or of another kind.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'Expected a checkpoint file, got {path}, which does not exist.')
    # not torch's context manager, which removes the list on exit for all other loaders
    torch.serialization.add_safe_globals(_allowed())
    _require_stored(path)
    with _explained(path):
        if path.suffix == '.safetensors':
            from safetensors.torch import load_file  # installed with timm

            return load_file(path)
        content = torch.load(path, map_location=map_location, weights_only=True)
        content = settle(content, (HistoryBuffer,))
    return _checked(content, path)


def _require_stored(path: Path) -> None:
    """Raises DamagedCheckpointError for a zip file that grows in memory, unlike those of torch."""
    try:
        members = zipfile.ZipFile(path).infolist() if zipfile.is_zipfile(path) else []
    except (OSError, ValueError, zipfile.BadZipFile):
        return  # torch says what is wrong
    total = sum(member.file_size for member in members)
    if total > path.stat().st_size:
        raise DamagedCheckpointError(
            f'{path}: expected records stored as they are, as torch.save does, got '
            f'{total >> 20} MiB in a file of {path.stat().st_size >> 20} MiB. Do not use files '
            'that you do not trust'
        )


def _checked(content: Any, source: str | Path) -> dict:
    """Raises DamagedCheckpointError unless a checkpoint and what it says about itself are dicts."""
    if not isinstance(content, dict) or not isinstance(content.get('meta', {}), dict):
        got = 'a dict whose meta is none' if isinstance(content, dict) else type(content).__name__
        raise DamagedCheckpointError(
            f'{source}: expected a dict of tensors, or one with state_dict and the dict meta, got '
            f'{got}; is it another kind of file?'
        )
    return content


def _load_local(filename: str, map_location: Any = None) -> dict:
    return load_checkpoint_file(filename, map_location)


def _load_url(url: str, **kwargs: Any) -> dict:
    with _explained(url):
        content = load_state_dict_from_url(url, weights_only=True, **kwargs)
        content = settle(content, (HistoryBuffer,))
    return _checked(content, url)


_load_anywhere = CheckpointLoader.load_checkpoint


def _load_without_programs(filename: str, *args: Any, **kwargs: Any) -> Any:
    """mmengine's loader of files, addresses and buckets, less the text that mmengine would run."""
    checkpoint = _checked(_load_anywhere(filename, *args, **kwargs), filename)
    for *way, key in _PROGRAMS:
        entry = checkpoint
        for step in way:
            entry = entry.get(step) if isinstance(entry, dict) else None
        if isinstance(entry, dict):
            entry.pop(key, None)
    return checkpoint


def install() -> None:
    """Extend torch's allow-list and make mmengine's loaders read with `weights_only=True`.

    mmengine 0.10.7 leaves `weights_only` to torch's defaults: True for files from torch 2.6 on,
    but `torch.hub`, through which it reads URLs, still defaults to False.
    """
    torch.serialization.add_safe_globals(_allowed())
    CheckpointLoader.register_scheme(prefixes='', loader=_load_local, force=True)
    mmengine_checkpoint.load_url = _load_url
    CheckpointLoader.load_checkpoint = staticmethod(_load_without_programs)
