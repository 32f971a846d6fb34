"""Rerun's viewer for this machine alone: no address but 127.0.0.1, no telemetry, no web fonts.

Rerun's own page asks fonts.googleapis.com for a font, and its program in the browser sends usage
data. The page and program are served here with a content security policy that allows connections to
this server only; the process beside it starts with usage data switched off.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlsplit

from ..errors import HybridDepthError

HOST = '127.0.0.1'
_FILES = {
    '/': 'text/html',
    '/re_viewer.js': 'text/javascript',
    '/re_viewer_bg.wasm': 'application/wasm',
    '/favicon.ico': 'image/x-icon',
}
_FIRST_VIEW = '/first_view.jpg'
_START_SECONDS = 20.0
# Behind the viewer until it has started: the first view. Rerun logs every shader that it compiles
# (20,000 lines), and has streaming compilation of its program off for pages opened from a folder.
_HEAD = (
    f'<style>body {{ background: #0d1011 url({_FIRST_VIEW}) center / contain no-repeat; }}</style>'
    '<script>console.debug = () => {};</script></head>'
)
_NO_STREAMING = 'delete WebAssembly.instantiateStreaming;'


class ViewerError(HybridDepthError):
    """Rerun's server does not start."""


@contextmanager
def serve_viewer(
    recording: Path | None = None,
    first_view: Future[bytes] | None = None,
    memory: str = '4GiB',
) -> Iterator[tuple[str, str]]:
    """Rerun's server and the page of the viewer, until the block ends.

    Args:
        recording: `.rrd` file to show; None for data that is sent to the second address.
        first_view: JPEG shown while Rerun's program is loading; the browser waits for it.
        memory: limit of the data kept for the browser; the oldest are dropped.

    Yields:
        Address of the page, and of the server for `RecordingStream.connect_grpc`.

    Raises:
        ViewerError: the server does not start.
    """
    port, assets = _free_ports(2)
    with TemporaryDirectory(prefix='hybrid-depth-view-') as folder:
        command = [_program(), '--serve-web', '--bind', HOST]
        command += ['--port', str(port), '--web-viewer-port', str(assets)]
        command += ['--server-memory-limit', memory]
        command += [] if recording is None else [str(recording)]
        log = Path(folder, 'log')
        with log.open('wb') as output:
            process = subprocess.Popen(
                command,
                env=_without_telemetry(folder),
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us
            )
        try:
            _wait(process, (port, assets), log)
            page = ThreadingHTTPServer((HOST, 0), _handler(assets, port, first_view))
            threading.Thread(target=page.serve_forever, daemon=True).start()
            try:
                server = f'rerun+http://{HOST}:{port}/proxy'
                options = f'hide_welcome_screen&theme=dark&url={quote(server, safe="")}'
                yield f'http://{HOST}:{page.server_port}/?{options}', server
            finally:
                if first_view is not None:
                    first_view.cancel()  # of whoever waits for it
                page.shutdown()
                page.server_close()
        finally:
            process.terminate()
            process.wait()


def _program() -> str:
    """Path of Rerun's program; its Python wrapper would be a second process to end."""
    folder = Path(find_spec('rerun_cli').origin).parent
    for name in ('rerun', 'rerun.exe', 'Rerun.app/Contents/MacOS/Rerun'):
        if (folder / name).is_file():
            return str(folder / name)
    raise ViewerError(
        f'expected the program of Rerun in {folder}, got none; install rerun-sdk again'
    )


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind((HOST, 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _without_telemetry(folder: str) -> dict[str, str]:
    """Environment whose configuration of Rerun has its usage data switched off.

    The configuration is a temporary one: that of the user is neither read nor changed.
    """
    content = json.dumps(
        dict(
            analytics_enabled=False,
            analytics_id='',
            metadata={},
            config_file_path=f'{folder}/rerun/analytics.json',
            data_dir_path=f'{folder}/rerun',
        )
    )
    Path(folder, 'rerun').mkdir()
    Path(folder, 'rerun', 'analytics.json').write_text(content)
    return os.environ | dict(XDG_CONFIG_HOME=folder, XDG_DATA_HOME=folder)


def _wait(process: subprocess.Popen, ports: tuple[int, ...], log: Path) -> None:
    """Wait until the server answers at all ports."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            for port in ports:
                socket.create_connection((HOST, port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise ViewerError(
        f"expected Rerun's server to start, got: {log.read_text(errors='replace')[-800:]}; does "
        '`rerun --version` work?'
    )


def _handler(
    assets: int, port: int, first_view: Future[bytes] | None
) -> type[BaseHTTPRequestHandler]:
    """Handler that serves Rerun's page and program and the first view, and nothing else."""
    servers = f'http://{HOST}:{port} http://localhost:{port}'
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; worker-src 'self' blob:; "
        f"connect-src 'self' {servers}; frame-ancestors 'none'"
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == _FIRST_VIEW and first_view is not None:
                try:
                    self._send(first_view.result(), 'image/jpeg')
                except CancelledError:
                    self.send_error(404)
            elif path in _FILES:
                with urllib.request.urlopen(f'http://{HOST}:{assets}{path}') as reply:
                    content = reply.read()
                self._send(_our_page(content) if path == '/' else content, _FILES[path])
            else:
                self.send_error(404)

        def _send(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header('Content-Type', kind)
            self.send_header('Content-Length', str(len(content)))
            self.send_header('Content-Security-Policy', policy)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """No log of requests."""

    return Handler


def _our_page(page: bytes) -> bytes:
    """Rerun's page with the first view behind it, without its log, and with streaming."""
    text = page.decode()
    return text.replace('</head>', _HEAD, 1).replace(_NO_STREAMING, '', 1).encode()
