"""Window of `tools/test.py --show`, without a screen."""

import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from mmengine.registry import HOOKS
from PIL import Image

from hybrid_depth.engine.hooks.visualization_window import has_screen


@pytest.fixture
def shown(monkeypatch):
    """Content of the window at each pause: (title, pixels, seconds)."""
    backend, pauses, switch = plt.get_backend(), [], plt.switch_backend

    def pause(seconds: float) -> None:
        (axes,) = plt.gcf().axes
        (image,) = axes.images
        pauses.append((axes.get_title(), np.asarray(image.get_array())[..., :3], seconds))

    monkeypatch.setattr(plt, 'switch_backend', lambda name: switch('agg'))
    monkeypatch.setattr(plt, 'pause', pause)
    yield pauses
    switch(backend)


def test_images_are_shown_in_order_for_the_wait_time(tmp_path, shown):
    for place, name in enumerate(['color/b.png', 'color/a.png', 'z.jpg', 'notes.txt']):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pixels = np.full((4, 6, 3), 40 * place, np.uint8)
        Image.fromarray(pixels).save(tmp_path / name, format='PNG')
    before = plt.get_fignums()
    hook = HOOKS.build(dict(type='VisualizationWindowHook', folder=str(tmp_path), wait_time=0.5))
    hook.after_test(None)
    assert [title for title, _, _ in shown] == ['a.png', 'b.png', 'z.jpg']
    assert [pixels.mean() for _, pixels, _ in shown] == [40, 0, 80]
    assert [seconds for _, _, seconds in shown] == [0.5] * 3
    assert plt.get_fignums() == before  # the window is closed


@pytest.mark.parametrize(
    ('platform', 'variables', 'expected'),
    [
        ('linux', [], False),
        ('linux', ['DISPLAY'], True),
        ('linux', ['WAYLAND_DISPLAY'], True),
        ('darwin', [], True),
    ],
)
def test_has_screen(monkeypatch, platform, variables, expected):
    monkeypatch.setattr(sys, 'platform', platform)
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    for name in variables:
        monkeypatch.setenv(name, ':0')
    assert has_screen() == expected
