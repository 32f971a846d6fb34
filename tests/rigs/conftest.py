"""A vehicle whose description tests change."""

import shutil

import pytest
import yaml


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
