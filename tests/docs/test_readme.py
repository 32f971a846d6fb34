"""What the README, the change log and the citation say about the package."""

import re
import runpy

import yaml
from PIL import Image

from hybrid_depth.version import __version__
from tests.conftest import ROOT

README = (ROOT / 'README.md').read_text()
PROJECT = (ROOT / 'pyproject.toml').read_text()


def test_two_screens():
    """Of 50 lines as GitHub wraps them, at about 120 characters, without the image."""
    lines = sum(1 + len(line) // 120 for line in README.splitlines() if line.strip())
    assert lines <= 100


def test_the_animation_is_small_and_moves():
    (name,) = re.findall(r'\]\((docs/\w+\.gif)\)', README)
    with Image.open(ROOT / name) as image:
        assert image.n_frames > 8
    assert (ROOT / name).stat().st_size < 2 << 20


def test_badges_are_true():
    supported = runpy.run_path(str(ROOT / 'tools/bootstrap.py'))['SUPPORTED']
    newest, oldest = supported[0], supported[-1]
    badge = (ROOT / 'docs/badges/python.svg').read_text()
    assert f'aria-label="python: {oldest} – {newest}"' in badge
    assert f'[![Python {oldest} to {newest}](docs/badges/python.svg)]' in README
    following = int(newest.split('.')[1]) + 1
    assert f'requires-python = ">={oldest},<3.{following}"' in PROJECT
    assert 'aria-label="licence: Apache-2.0"' in (ROOT / 'docs/badges/licence.svg').read_text()
    assert (
        'license = "Apache-2.0"' in PROJECT and 'Apache License' in (ROOT / 'LICENSE').read_text()
    )


def test_versions_agree():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == __version__ == '0.1.0'
    assert [author['name'] for author in citation['authors']] == ['The Hybrid-Depth contributors']
    newest = re.search(r'^## (\S+), (\S+)$', (ROOT / 'CHANGELOG.md').read_text(), re.MULTILINE)
    assert newest.groups() == (__version__, str(citation['date-released']))
