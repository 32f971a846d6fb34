"""Headless Chromium, driven through its debugging pipe."""

import base64
import fcntl
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser')
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason='no Chromium: apt-get install chromium'
)
_ARGUMENTS = (
    '--headless', '--no-sandbox', '--remote-debugging-pipe', '--enable-unsafe-swiftshader',
    '--no-first-run', '--disable-background-networking', '--disable-dev-shm-usage',
)  # fmt: skip


class Page:
    """Tab of a browser; calls are those of the Chrome DevTools protocol."""

    def __init__(self, write: int, read: int):
        self._write, self._read = write, read
        self._numbers, self._rest, self._session = itertools.count(1), b'', None
        self.events: list[dict] = []
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        attached = self.call('Target.attachToTarget', targetId=target, flatten=True)
        self._session = attached['sessionId']
        for domain in ('Network', 'Page', 'Runtime'):
            self.call(f'{domain}.enable')

    def call(self, method: str, **params) -> dict:
        number = next(self._numbers)
        message = dict(id=number, method=method, params=params)
        if self._session is not None:
            message['sessionId'] = self._session
        os.write(self._write, json.dumps(message).encode() + b'\0')
        while (answer := self._message()).get('id') != number:
            self.events.append(answer)
        assert 'error' not in answer, answer
        return answer['result']

    def _message(self) -> dict:
        while b'\0' not in self._rest:
            part = os.read(self._read, 1 << 16)
            assert part, 'Chromium has ended'
            self._rest += part
        message, self._rest = self._rest.split(b'\0', 1)
        return json.loads(message)

    def open(self, address: str) -> None:
        """Load a page; returns when its scripts have started."""
        self.call('Page.navigate', url=address)
        while not any(event.get('method') == 'Page.loadEventFired' for event in self.events):
            self.events.append(self._message())

    def evaluate(self, script: str):
        options = dict(awaitPromise=True, returnByValue=True)
        return self.call('Runtime.evaluate', expression=script, **options)['result'].get('value')

    def screenshot(self, path: Path | None = None) -> np.ndarray:
        """(H, W, 3) BGR image of the page."""
        data = base64.b64decode(self.call('Page.captureScreenshot', format='png')['data'])
        if path is not None:
            path.write_bytes(data)
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)

    def wait(self, condition: Callable[[], object], seconds: float):
        """First true value of a condition; fails after some seconds."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, 'expected the page to change, got no change'
            time.sleep(0.2)
        return value

    def requests_elsewhere(self) -> list[str]:
        """Addresses outside this machine from which the page was not kept."""
        urls, blocked = {}, set()
        for event in self.events:
            params = event.get('params', {})
            if event.get('method') == 'Network.requestWillBeSent':
                urls[params['requestId']] = params['request']['url']
            elif event.get('method') == 'Network.loadingFailed' and params.get('blockedReason'):
                blocked.add(params['requestId'])
        here = ('127.0.0.1', 'localhost', None)  # None of data and blobs
        return [
            url
            for number, url in urls.items()
            if number not in blocked and urlsplit(url.removeprefix('blob:')).hostname not in here
        ]


@contextmanager
def open_page(folder: Path, size: tuple[int, int] = (1600, 1000)) -> Iterator[Page]:
    """Page of a new browser.

    Args:
        folder: empty folder for its profile.
        size: of the window, pixels.
    """
    to_browser, from_browser = os.pipe(), os.pipe()
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_browser[0], from_browser[1])]

    def as_expected() -> None:  # the browser reads from descriptor 3 and writes to 4
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    command = [
        CHROMIUM,
        *_ARGUMENTS,
        f'--user-data-dir={folder}',
        f'--window-size={size[0]},{size[1]}',
    ]
    with open(folder / 'log', 'wb') as log:
        process = subprocess.Popen(
            command, preexec_fn=as_expected, close_fds=False, stdout=log, stderr=log
        )
    for descriptor in (*high, to_browser[0], from_browser[1]):
        os.close(descriptor)
    try:
        yield Page(to_browser[1], from_browser[0])
    finally:
        process.terminate()
        process.wait()
        for descriptor in (to_browser[1], from_browser[0]):
            os.close(descriptor)
