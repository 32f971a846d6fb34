"""A vehicle of the toy world, and a description that tests change."""

import shutil

import pytest
import yaml

from hybrid_depth.toy_world import make_toy_world


@pytest.fixture(scope='session')
def toy_vehicle(tmp_path_factory):
    """Toy world as an own vehicle: two drives of three key frames, the second for validation."""
    out = tmp_path_factory.mktemp('toy_vehicle') / 'rig'
    return make_toy_world(out, 2, 3, (192, 128), workers=1, layout='rig')


@pytest.fixture
def rig(toy_vehicle, tmp_path):
    """A copy of its files."""
    return Rig(shutil.copytree(toy_vehicle, tmp_path / 'rig'))


class Rig:
    """Folder with rig.yaml and its content; `write` writes the content."""

    def __init__(self, root):
        self.root, self.path = root, root / 'rig.yaml'
        self.content = yaml.safe_load(self.path.read_text())
        self.camera = self.content['cameras']['left']

    def write(self, **changes):
        self.path.write_text(yaml.safe_dump(self.content | changes, sort_keys=False))
        return self.path
