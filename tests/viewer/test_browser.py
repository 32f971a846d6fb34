"""The viewer in a real browser."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

pytest.importorskip('mmdet3d')
pytest.importorskip('rerun')

from hybrid_depth.bev.evaluation.detection_protocol import DetectionProtocol  # noqa: E402
from hybrid_depth.bev.evaluation.evaluation_samples import read_samples  # noqa: E402
from hybrid_depth.bev.evaluation.results_file import write_results  # noqa: E402
from hybrid_depth.info_files import read_infos  # noqa: E402
from hybrid_depth.viewer.recording import _OUTCOME_COLORS  # noqa: E402
from tests.browser import needs_chromium, open_page  # noqa: E402
from tests.conftest import ROOT  # noqa: E402


@contextmanager
def view(*arguments: object) -> Iterator[str]:
    """Address of the page of a running `hybrid-depth view`."""
    command = [sys.executable, 'tools/view.py', *map(str, arguments), '--no-browser']
    env = dict(os.environ, OMP_NUM_THREADS='1')
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        yield re.search(r'http\S+', process.stdout.readline())[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    assert process.returncode == 0


def shares(image: np.ndarray) -> dict[str, float]:
    """Share of the pixels of a page that have the colour of an outcome."""
    return {
        name: (np.abs(image.astype(int) - color[::-1]).max(2) < 60).mean()
        for name, color in _OUTCOME_COLORS.items()
    }


@needs_chromium
@pytest.mark.slow
def test_two_runs_side_by_side(toy_infos, toy_nuscenes, tmp_path):
    infos = toy_infos / 'nuscenes_infos_val.pkl'
    content, protocol = read_infos(infos), DetectionProtocol()
    tokens = [info['token'] for info in content['data_list']]
    boxes = read_samples(content, tokens, protocol, 'x').boxes
    right = boxes[np.arange(len(boxes)) % 2 == 0]
    wrong = boxes[np.arange(len(boxes)) % 2 == 1]
    wrong.centre[:, 0] += 8
    for name, found in (('right', right), ('wrong', wrong)):
        write_results(tmp_path / f'{name}.json', found, tokens, protocol, {})
    (tmp_path / 'profile').mkdir()
    runs = [tmp_path / 'right.json', tmp_path / 'wrong.json']
    with (
        view(*runs, '--infos', infos, '--root', toy_nuscenes) as address,
        open_page(tmp_path / 'profile', (1200, 750)) as page,
    ):
        page.open(address)

        def both_runs() -> bool:
            left, rest = np.array_split(page.screenshot(tmp_path / 'page.png')[:, 200:], 2, axis=1)
            left, rest = shares(left), shares(rest)
            return (
                left['true_positive'] > 2e-4
                and left['false_positive'] < left['true_positive'] / 4
                and rest['false_positive'] > 2e-4
                and rest['true_positive'] < rest['false_positive'] / 4
                and min(left['missed'], rest['missed']) > 2e-4
            )

        page.wait(both_runs, 120)
        assert page.requests_elsewhere() == []
