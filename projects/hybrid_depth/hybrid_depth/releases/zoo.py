"""The zoo: official weights by name, converted at their first use.

The entries are those of `configs/*/metafile.yml` that have a name of the zoo. A converted release
is two files in the folder `zoo` of `weights_dir()`: NAME.pth, a checkpoint, and NAME.json, its
config and the hashes of the official files.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..config_files import FOLDER
from ..errors import ConfigError
from ..files import atomic_file, temporary_folder
from ..text_files import parse_json, read_text

if TYPE_CHECKING:
    from mmengine.config import Config

_SINGLE = ('ifrnet', 'hybrid-depth-stage1', 'bevdet')  # kinds of one file


@dataclass(frozen=True)
class Release:
    """Official weights.

    Attributes:
        name: name in the zoo.
        model: metafile entry of the model that they are for.
        licence: their terms.
        source: where the publisher names them.
        page: the publisher's page, an address.
        files: addresses of the files, empty if they are not known.
        kind: of `convert_checkpoint`.
    """

    name: str
    model: dict[str, Any]
    licence: str
    source: str
    page: str
    files: tuple[str, ...]
    kind: str

    @property
    def checkpoint(self) -> Path:
        """The converted weights; they need not exist."""
        from ..foundation.weights import weights_dir  # imports torch

        return weights_dir() / 'zoo' / f'{self.name}.pth'

    @property
    def record(self) -> Path:
        """Config and hashes of the converted weights."""
        return self.checkpoint.with_suffix('.json')


def metafiles() -> Iterator[dict[str, Any]]:
    """Contents of the metafiles of all methods; numbers are text, as they are written."""
    for path in sorted(FOLDER.glob('*/metafile.yml')):
        yield yaml.load(read_text(path), yaml.BaseLoader)


@functools.cache
def releases() -> dict[str, Release]:
    """All releases, by name."""
    found = {}
    for data in metafiles():
        for model in data['Models']:
            for entry in model['Weights']:
                if 'Zoo' in entry and entry['Zoo'] not in found:
                    found[entry['Zoo']] = Release(
                        entry['Zoo'],
                        model,
                        entry['Licence'],
                        entry['Source'],
                        entry['Page'],
                        tuple(entry.get('Files', ())),
                        entry['Convert'],
                    )
    return found


def find_release(name: str) -> Release:
    """A release by its name.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in releases():
        raise ConfigError(
            f'expected a name of the zoo, got {name!r}; the names are {", ".join(releases())}'
        )
    return releases()[name]


def download(name: str, source: str | Path | None = None) -> Path:
    """Get a release, check its hashes and convert it.

    Hashes that the publisher states are checked while downloading. Those of the first download are
    recorded, and later downloads must have the same.

    Args:
        name: of the release.
        source: its folder, file, archive (.zip) or address, where it was downloaded by hand or the
            address is not known; None for its own addresses.

    Returns:
        The checkpoint.

    Raises:
        ConfigError: no such release, or `source` is needed.
        DownloadError: an address gives no such file, or its hash is another.
        ReleaseError, CheckpointMismatchError, UnsafeCheckpointError: as `convert_checkpoint`.
    """
    from .conversion import sha256
    from .convert import convert_checkpoint
    from .download import DownloadError, fetch, unpack

    release = find_release(name)
    if source is None and not release.files:
        raise ConfigError(
            f'{name}: its address is not known here. Download it by hand from {release.page} '
            f'({release.source}), then: hybrid-depth zoo download {name} --from FILE_OR_FOLDER'
        )
    addresses = release.files if source is None else (str(source),)
    stated: dict[str, str] = {}
    with temporary_folder(release.checkpoint) as folder:
        files = folder / 'files'
        files.mkdir()
        path = files
        for address in addresses:
            if '://' in address:
                path, digest = fetch(address, files)
                stated |= {path.name: digest} if digest else {}
            else:
                path = Path(address).expanduser()
        if path.suffix == '.zip':
            path = unpack(path, folder / 'unpacked')
        elif path.parent == files and release.kind not in _SINGLE:
            path = files
        if release.kind in _SINGLE and path.is_dir() and len(only := list(path.iterdir())) == 1:
            path = only[0]
        converted = folder / 'converted.pth'
        conversion = convert_checkpoint(release.kind, path, converted)
        hashes = {file.name: sha256(file) for file in conversion.files}
        known = _recorded(release).get('sha256', hashes)
        if known != hashes:
            raise DownloadError(
                f'{name}: expected the files of the first download, got others: sha256 {hashes} '
                f'instead of {known}. If the publisher has replaced them, remove {release.record}'
            )
        record = dict(
            name=name,
            sources=list(addresses),
            licence=release.licence,
            sha256=hashes,
            stated_by_the_publisher=sorted(stated),
            config=conversion.config,
            config_overrides=conversion.overrides,
        )
        os.replace(converted, release.checkpoint)
    with atomic_file(release.record, 'w') as file:
        json.dump(record, file, indent=2)
    return release.checkpoint


def _recorded(release: Release) -> dict[str, Any]:
    if not release.record.is_file():
        return {}
    return parse_json(read_text(release.record), release.record)


def released_model(name: str) -> tuple[Config, Path]:
    """Config and checkpoint of a release; it is downloaded if it is not there.

    Errors as of `download`.
    """
    from ..engine.config import read_config

    release = find_release(name)
    if not (release.checkpoint.is_file() and release.record.is_file()):
        download(name)
    record = _recorded(release)
    path = (FOLDER / record['config']).resolve()
    if not path.is_relative_to(FOLDER.resolve()):  # configs run as code
        raise ConfigError(
            f'{release.record}: expected a shipped config, got {record["config"]}. Remove the '
            'file, and download again'
        )
    cfg = read_config(path)
    cfg.merge_from_dict(record['config_overrides'])
    return cfg, release.checkpoint


def resolve(
    config: str | Path | Config, checkpoint: str | Path | None
) -> tuple[str | Path | Config, str | Path | None]:
    """Config and checkpoint of a model that is given by its name in the zoo, or by these.

    Raises:
        ConfigError: a name of the zoo together with a checkpoint.
    """
    if not isinstance(config, str) or config not in releases():
        return config, checkpoint
    if checkpoint is not None:
        raise ConfigError(
            f'{config} of the zoo has weights of its own: expected no checkpoint, got '
            f'{checkpoint}. Omit it, or give a config file'
        )
    return released_model(config)
