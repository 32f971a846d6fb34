"""Safe reading of info files, and of all other files that mmengine reads: no code in them is run.

Importing this module restricts `mmengine.load` to pickles and YAML files of plain data, for every
data set, metric and transform in the process: mmengine's readers call what such files name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import mmengine
import yaml
from mmengine.fileio import register_handler
from mmengine.fileio.handlers import PickleHandler, YamlHandler

from .errors import DamagedFileError, UnsafeFileError
from .limits import check_file
from .plain_pickle import load_plain

_FORM = 'an info file of mmdet3d >= 1.1, a dict with the dict metainfo and the list data_list'


@register_handler(['pkl', 'pickle'])
class PlainPickleHandler(PickleHandler):
    """mmengine's pickle reader, restricted to plain data."""

    def load_from_fileobj(self, file: IO[bytes], **kwargs: Any) -> Any:
        """Errors as of `load_plain`; the options of `pickle.load` have no effect on plain data."""
        return load_plain(file)


class _Loader(yaml.SafeLoader):
    """PyYAML's loader of plain data, extended by tuples, which mmengine writes for configs."""


_Loader.add_constructor(
    'tag:yaml.org,2002:python/tuple', lambda loader, node: tuple(loader.construct_sequence(node))
)


@register_handler(['yaml', 'yml'])
class PlainYamlHandler(YamlHandler):
    """mmengine's YAML reader, restricted to plain data."""

    def load_from_fileobj(self, file: IO, **kwargs: Any) -> Any:
        """
        Raises:
            UnsafeFileError: the file names Python objects.
            DamagedFileError: the file is not valid YAML.
        """
        try:
            return yaml.load(file, _Loader)
        except yaml.constructor.ConstructorError as error:
            raise UnsafeFileError(
                f'expected numbers, text, lists and dicts, got YAML with {error.problem}. Loading '
                'it could run code, so it was not loaded. Do not use files that you do not trust'
            ) from error
        except (yaml.YAMLError, RecursionError) as error:
            raise DamagedFileError(f'expected YAML, got an invalid file: {error}') from error


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Context that adds the file name to errors of mmengine's readers, which do not know it."""
    try:
        yield
    except (UnsafeFileError, DamagedFileError) as error:
        raise type(error)(f'{path}: {error}') from error


def read_infos(path: str | Path) -> dict:
    """Read an info file without running code in it.

    Args:
        path: .pkl, .json or .yaml.

    Returns:
        Its `metainfo` and `data_list`.

    Raises:
        FileNotFoundError: the file does not exist.
        UnsafeFileError: it names functions or classes.
        DamagedFileError: it is damaged, or not an info file.
        TooLargeError: larger than the limit.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'no info file {path}; make it with: hybrid-depth create-nuscenes-infos --root ROOT '
            '--version VERSION'
        )
    check_file(path)
    with naming(path):
        try:
            content = mmengine.load(path)
        except (ValueError, TypeError, RecursionError) as error:  # the last: nested too deeply
            if isinstance(error, DamagedFileError):
                raise
            raise DamagedFileError(f'expected {_FORM}, as .pkl or .json; got {error}') from error
        _require_infos(content)
    return content


def _require_infos(content: Any) -> None:
    """Raises DamagedFileError unless the content is that of an info file."""
    if not isinstance(content, dict):
        got = f'a {type(content).__name__}'
    elif not isinstance(content.get('metainfo'), dict):
        got = f'a dict of {sorted(map(str, content))[:5]}'
    elif not isinstance(content.get('data_list'), list):
        got = 'no list data_list'
    else:
        odd = [item for item in content['data_list'] if not isinstance(item, dict)]
        if not odd:
            return
        got = f'a {type(odd[0]).__name__} in data_list, where each sample should be a dict'
    raise DamagedFileError(
        f'expected {_FORM}, got {got}; make it with: hybrid-depth create-nuscenes-infos --root '
        'ROOT --version VERSION (other data: with tools/create_data.py of mmdet3d)'
    )


def data_folders(metainfo: dict, cameras: Iterable[str]) -> dict[str, str]:
    """Folders of the files that an info file names, below the data set's root.

    Args:
        metainfo: of the info file; `data_prefix` has them, nuScenes' own otherwise.
        cameras: names.

    Returns:
        By camera, and `pts` and `sweeps` of LiDAR.

    Raises:
        DamagedFileError: `data_prefix` is no dict of texts.
    """
    folders = dict(pts='samples/LIDAR_TOP', sweeps='sweeps/LIDAR_TOP')
    folders.update({camera: f'samples/{camera}' for camera in cameras})
    own = metainfo.get('data_prefix', {})
    if not isinstance(own, dict) or not all(isinstance(x, str) for x in (*own, *own.values())):
        raise DamagedFileError(f'expected data_prefix of folders by camera, got {own!r}')
    return folders | own
