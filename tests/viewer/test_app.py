"""The app: limits, files that cannot be reached, and a session in a real browser."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

pytest.importorskip('gradio')
from fastapi.testclient import TestClient  # noqa: E402

from hybrid_depth.checkpoints.build import build_model  # noqa: E402
from hybrid_depth.engine.config import read_config  # noqa: E402
from hybrid_depth.errors import DepthDataError  # noqa: E402
from hybrid_depth.viewer.app import make_app, private_folder  # noqa: E402
from hybrid_depth.viewer.depth_models import DepthModels, ModelFiles  # noqa: E402
from tests.browser import needs_chromium, open_page  # noqa: E402
from tests.conftest import ROOT  # noqa: E402

CONFIG = ROOT / 'configs/toy/monodepth2_r18_toy.py'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('app') / 'random.pth'
    torch.manual_seed(0)
    torch.save(dict(state_dict=build_model(read_config(CONFIG)).state_dict()), path)
    return path


@pytest.fixture
def image(tmp_path) -> Path:
    path = tmp_path / 'image.png'
    cv2.imwrite(str(path), np.random.randint(0, 255, (96, 320, 3), np.uint8))
    return path


@pytest.fixture
def video(tmp_path) -> Path:
    path = tmp_path / 'video.webm'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'VP80'), 10, (320, 96))
    for shade in range(0, 250, 25):
        writer.write(np.full((96, 320, 3), shade, np.uint8))
    writer.release()
    return path


@pytest.fixture
def models(checkpoint) -> DepthModels:
    return DepthModels([ModelFiles(CONFIG, checkpoint)])


@pytest.fixture
def client(models) -> Iterator[TestClient]:
    with private_folder() as folder:
        app = make_app(models, folder, max_mib=1, max_frames=4)
        with TestClient(app, base_url='http://127.0.0.1') as client:
            yield client


def test_a_video_is_cut(models, video, tmp_path):
    shares = list(models.video('random', video, tmp_path / 'out.webm', None, 4))
    assert shares == [0.25, 0.5, 0.75, 1.0]
    capture = cv2.VideoCapture(str(tmp_path / 'out.webm'))
    assert capture.read()[1].shape[0] > 2 * 96  # the frame above its depth, and the colour bar
    with pytest.raises(DepthDataError, match='expected a model of random'):
        models.predict('../x', video, None)


def test_answers_allow_this_machine_only(client):
    policy = client.get('/').headers['Content-Security-Policy']
    assert not re.search(r'https?:|\*', policy) and "default-src 'self'" in policy
    assert client.get('/', headers=dict(host='example.com')).status_code == 400


@pytest.mark.parametrize(
    'path',
    [
        '/etc/passwd',
        str(ROOT / 'README.md'),
        'README.md',
        '../../../../etc/passwd',
        'file:///etc/passwd',
        str(CONFIG),
    ],
)
def test_no_file_of_the_machine_can_be_read(client, path):
    for route in ('/gradio_api/file=', '/file='):
        assert client.get(route + path).status_code in (403, 404)


def test_uploads_can_be_read_and_have_a_limit(client, image):
    [path] = client.post('/gradio_api/upload', files=dict(files=image.read_bytes())).json()
    assert path.startswith(os.environ['GRADIO_TEMP_DIR'])
    assert client.get(f'/gradio_api/file={path}').content == image.read_bytes()
    large = client.post('/gradio_api/upload', files=dict(files=bytes(1 << 21)))
    assert large.status_code == 413


def test_uploads_are_removed_at_the_end():
    with private_folder() as folder:
        (folder / 'upload').write_text('x')
        assert os.environ['GRADIO_ANALYTICS_ENABLED'] == 'False'
    assert not folder.exists() and 'GRADIO_TEMP_DIR' not in os.environ


@contextmanager
def running(checkpoint: Path) -> Iterator[str]:
    """Address of the page of a running `hybrid-depth app`."""
    command = [sys.executable, 'tools/app.py', str(CONFIG), str(checkpoint), '--no-browser']
    env = dict(os.environ, OMP_NUM_THREADS='1')
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        yield re.search(r'http\S+', process.stdout.readline())[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    assert process.returncode == 0


def upload(page, place: int, file: Path) -> None:
    page.call('DOM.enable')
    root = page.call('DOM.getDocument')['root']['nodeId']
    found = page.call('DOM.querySelectorAll', nodeId=root, selector='input[type=file]')
    page.call('DOM.setFileInputFiles', nodeId=found['nodeIds'][place], files=[str(file)])


@needs_chromium
@pytest.mark.slow
def test_depth_metres_and_cloud_in_a_browser(checkpoint, image, tmp_path):
    (tmp_path / 'profile').mkdir()
    with running(checkpoint) as address, open_page(tmp_path / 'profile', (1400, 1400)) as page:
        page.open(address)
        page.wait(lambda: page.evaluate("!!document.querySelector('#predict-image')"), 60)
        upload(page, 0, image)
        uploaded = "!!document.querySelector('img[src*=gradio_api]')"
        page.wait(lambda: page.evaluate(uploaded), 60)
        page.evaluate("document.querySelector('#predict-image').click()")
        value = "document.querySelector('#summary textarea').value"
        assert 'unit unknown' in page.wait(lambda: page.evaluate(value), 120)
        page.wait(lambda: page.evaluate("!!document.querySelector('canvas')"), 60)

        def cloud_is_drawn() -> bool:
            shot = page.screenshot(tmp_path / 'page.png')
            return shot[len(shot) // 2 :, 300:-300].std() > 5

        page.wait(cloud_is_drawn, 60)
        assert page.requests_elsewhere() == []
    shutil.rmtree(tmp_path / 'profile')
