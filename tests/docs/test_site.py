"""The documentation site has every page, is built without a warning, and loads nothing."""

import re
import runpy
import subprocess
import sys

import pytest
import yaml

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.engine.config import read_config
from tests.conftest import ROOT

pytest.importorskip('mkdocs')
HOOKS = runpy.run_path(str(ROOT / 'docs/site/hooks.py'))
CONFIG_BLOCK = re.compile(r'^`(\w+\.py)`.*?:\n\n```python\n(.*?)```', re.MULTILINE | re.DOTALL)
LOADED = re.compile(
    r'<(?:script|img|iframe|source)\b[^>]*\bsrc="?(https?:|//)|<link\b[^>]*stylesheet[^>]*'
    r'href="?(https?:|//)|@import\b|url\(["\']?(https?:|//)'
)


def test_every_page_is_in_the_navigation():
    nav = HOOKS['nav_pages'](yaml.safe_load((ROOT / 'mkdocs.yml').read_text())['nav'])
    pages = {path.relative_to(ROOT).as_posix() for path in HOOKS['sources']()}
    pages = {page for page in pages if page.endswith('.md')}
    assert len(nav) == len(set(nav))
    assert {page for page in nav if not page.startswith(HOOKS['API'])} == pages
    rooms = {page.removeprefix(HOOKS['API'])[:-3] for page in set(nav) - pages}
    assert {'apis', 'geometry', 'losses', 'ops'} <= rooms
    for room in rooms:
        package = ROOT / 'projects/hybrid_depth/hybrid_depth' / room.replace('.', '/')
        source = package.with_suffix('.py') if room == 'apis' else package / '__init__.py'
        assert '__all__' in source.read_text(), room


def test_anchors_are_those_of_github():
    assert HOOKS['github_anchor']('KITTI: `data/kitti`', '-') == 'kitti-datakitti'


@pytest.mark.parametrize(
    ('name', 'text'), CONFIG_BLOCK.findall((ROOT / 'docs/swap_depth_net.md').read_text())
)
def test_depth_nets_of_the_page_can_be_built(name, text, tmp_path):
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    (tmp_path / name).write_text(text)
    net = build_model(read_config(tmp_path / name)).img_view_transformer.depth_net
    kinds = dict(plain='PlainDepthNet', camera_aware='CameraAwareDepthNet')
    assert type(net).__name__ == kinds.get(name[:-3], 'EncoderDepthNet')


@pytest.mark.slow
def test_the_site_is_complete_and_loads_nothing_from_the_internet(tmp_path):
    command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir', tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob('*.html'))
    assert len(pages) > 50
    assert not [page for page in pages if LOADED.search(page.read_text())]
    assert (
        'id="hybrid_depth.geometry.GroundPlane"'
        in (tmp_path / 'docs/api/geometry.html').read_text()
    )
