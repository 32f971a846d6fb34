"""Downloads of official files: checked addresses, sizes, hashes and archive members."""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
import stat
import zipfile
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tqdm import tqdm

from ..errors import HybridDepthError
from ..files import file_name
from ..limits import check_size

_LOCAL = ('127.0.0.1', 'localhost', '::1')
_SUFFIXES = ('.pth', '.pt', '.ckpt', '.safetensors')
_SECONDS = 60
_BLOCK = 1 << 20
_MAX_MEMBERS = 100
#: Hugging Face states the SHA-256 of large files in this header, on the way to the file
#: (github.com/huggingface/huggingface_hub, src/huggingface_hub/constants.py).
_HASH_HEADER = 'X-Linked-Etag'


class DownloadError(HybridDepthError, ValueError):
    """Download that is not the expected file."""


class _Redirects(HTTPRedirectHandler):
    """Redirects to safe addresses only; keeps the hash that one of them states."""

    stated: str | None = None

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        _check_address(newurl)
        self.stated = self.stated or _stated(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != 'https' and not (parts.scheme == 'http' and parts.hostname in _LOCAL):
        raise DownloadError(f'expected an https address, got {address}')


def _stated(headers) -> str | None:
    value = (headers.get(_HASH_HEADER) or '').strip('"').lower()
    return value if re.fullmatch('[0-9a-f]{64}', value) else None


def fetch(address: str, folder: Path) -> tuple[Path, str | None]:
    """Download a file.

    Args:
        address: https, or http on this machine.
        folder: where the file is written, under the last part of the address.

    Returns:
        The file, and its SHA-256 if the publisher states it; then it is checked.

    Raises:
        DownloadError: another kind of address, a page instead of a file, a download that is cut
            short, or one with another hash than stated.
        TooLargeError: more than the limit of `limits`.
        URLError: the server does not answer, or has no such file.
    """
    _check_address(address)
    path = folder / file_name(unquote(PurePosixPath(urlsplit(address).path).name))
    redirects = _Redirects()
    digest, size = hashlib.sha256(), 0
    try:
        request = Request(address, headers={'User-Agent': 'hybrid-depth'})
        with build_opener(redirects).open(request, timeout=_SECONDS) as answer:
            if answer.headers.get_content_type() == 'text/html':
                raise DownloadError(
                    f'{address}: expected a file, got a page. Open it in a browser, download the '
                    'file, and give it with --from'
                )
            expected = answer.headers.get('Content-Length', '')
            total = int(expected) if expected.isascii() and expected.isdigit() else None
            check_size(total or 0, address)
            with (
                open(path, 'wb') as file,
                tqdm(total=total, desc=path.name, unit='B', unit_scale=True) as progress,
            ):
                while block := answer.read(_BLOCK):
                    size += len(block)
                    check_size(size, address)
                    digest.update(block)
                    file.write(block)
                    progress.update(len(block))
            stated = redirects.stated or _stated(answer.headers)
    except HTTPException as error:
        raise DownloadError(
            f'{address}: expected a complete answer, got {type(error).__name__}'
        ) from error
    if total is not None and size != total:
        raise DownloadError(f'{address}: expected {total} bytes, got {size}. Try again')
    if stated and stated != digest.hexdigest():
        raise DownloadError(
            f'{address}: expected sha256 {stated}, as its publisher states, got '
            f'{digest.hexdigest()}. Do not use the file'
        )
    return path, stated


def unpack(archive: Path, folder: Path) -> Path:
    """Write the weight files of a zip archive, and nothing else, to a new folder.

    Raises:
        FileNotFoundError: no such archive.
        DownloadError: a damaged archive, one with files outside of its folder, links, files of one
            name, or without weights.
        TooLargeError: more than the limit of `limits`.
    """
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as content:
            members = [item for item in content.infolist() if not item.is_dir()]
            if len(members) > _MAX_MEMBERS:
                raise DownloadError(
                    f'{archive}: expected at most {_MAX_MEMBERS} files, got {len(members)}'
                )
            for item in members:
                _check_member(item, archive)
            weights = [item for item in members if item.filename.lower().endswith(_SUFFIXES)]
            names = [PurePosixPath(item.filename).name for item in weights]
            if not names or len(set(names)) < len(names):
                found = [item.filename for item in members[:5]]
                raise DownloadError(
                    f'{archive}: expected weight files of one model ({", ".join(_SUFFIXES)}), got '
                    f'{found}'
                )
            check_size(sum(item.file_size for item in weights), archive)
            for item, name in zip(weights, names, strict=True):
                with content.open(item) as source, open(folder / file_name(name), 'wb') as file:
                    shutil.copyfileobj(source, file, _BLOCK)
    except Exception as error:  # whatever the bytes of a damaged file lead to
        wrong_offset = isinstance(error, OSError) and error.errno == errno.EINVAL
        if isinstance(error, HybridDepthError | OSError) and not wrong_offset:
            raise
        raise DownloadError(
            f'{archive}: expected a complete zip archive, got a damaged or encrypted one '
            f'({error}). Download it again'
        ) from error
    return folder


def _check_member(item: zipfile.ZipInfo, archive: Path) -> None:
    path = PurePosixPath(item.filename)
    outside = path.is_absolute() or '..' in path.parts or '\\' in item.filename
    if outside or ':' in item.filename or stat.S_ISLNK(item.external_attr >> 16):
        raise DownloadError(
            f'{archive}: expected plain files below its folder, got {item.filename!r}. Do not use '
            'the archive'
        )
