"""The viewer's server: this machine only, no telemetry, ended with its block."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip('rerun')

from hybrid_depth.viewer import server  # noqa: E402
from hybrid_depth.viewer.server import ViewerError, serve_viewer  # noqa: E402


def reachable(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 2).close()
    except OSError:
        return False
    return True


def test_only_this_machine_is_served(monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        server.subprocess, 'Popen', lambda *a, **k: started.append(popen(*a, **k)) or started[-1]
    )
    with serve_viewer() as (page, grpc):
        ports = [urlsplit(address).port for address in (page, grpc)]
        command = started[0].args
        ports.append(int(command[command.index('--web-viewer-port') + 1]))
        assert all(reachable('127.0.0.1', port) for port in ports)
        assert not any(reachable('127.0.0.2', port) for port in ports)  # also of this machine

        reply = urllib.request.urlopen(page)
        policy = reply.headers['Content-Security-Policy']
        sources = {s for part in policy.split(';') for s in part.split()[1:] if '//' in s}
        assert sources == {f'http://{h}:{ports[1]}' for h in ('127.0.0.1', 'localhost')}
        program = urllib.request.urlopen(page.split('?')[0] + 're_viewer.js')
        assert program.headers['Content-Type'] == 'text/javascript'
        for path in ('../../etc/passwd', 'signed-in', 're_viewer.js/..'):
            with pytest.raises(urllib.error.HTTPError, match='404'):
                urllib.request.urlopen(page.split('?')[0] + path)
    assert started[0].returncode is not None
    assert not any(reachable('127.0.0.1', port) for port in ports)


def test_the_first_view_is_waited_for():
    first_view = Future()
    with serve_viewer(first_view=first_view) as (page, _):
        address = page.split('?')[0] + 'first_view.jpg'
        with ThreadPoolExecutor(1) as pool:
            reply = pool.submit(urllib.request.urlopen, address)
            time.sleep(0.2)
            assert not reply.done()
            first_view.set_result(b'picture')
            assert reply.result().read() == b'picture'
        text = urllib.request.urlopen(page).read().decode()
        assert 'url(/first_view.jpg)' in text and 'console.debug = ' in text
        assert 'delete WebAssembly' not in text and text.count('</head>') == 1


def test_a_browser_that_waits_for_the_first_view_is_no_obstacle_to_the_end():
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(ValueError, match='bad infos'):
            with serve_viewer(first_view=Future()) as (page, _):
                address = page.split('?')[0] + 'first_view.jpg'
                reply = pool.submit(urllib.request.urlopen, address)
                time.sleep(0.2)
                raise ValueError('bad infos')
        assert isinstance(reply.exception(10), (urllib.error.HTTPError, OSError))


def test_usage_data_are_switched_off(tmp_path):
    """Rerun itself reads the configuration, and says so."""
    env = server._without_telemetry(str(tmp_path))
    command = [server._program(), 'analytics', 'config']
    output = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    found = json.loads(output[output.index('{') :])
    assert found['analytics_enabled'] is False
    assert Path(found['config_file_path']).is_relative_to(tmp_path)


def test_a_server_that_does_not_start(tmp_path):
    (tmp_path / 'a.rrd').write_bytes(b'nothing')
    with pytest.raises(ViewerError, match="expected Rerun's server to start"):
        with serve_viewer(memory='much'):
            pass
