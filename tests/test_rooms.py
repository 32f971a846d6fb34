"""The layers of CONTRIBUTING.md: a room imports only rooms below it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = ROOT / 'projects' / 'hybrid_depth' / 'hybrid_depth'

# From top to bottom. Rooms of one line are of one layer and do not import each other.
FLOORS = (
    ('__main__',),
    ('cli', 'apis', 'env', 'modules'),
    ('depth_modules', 'env_ops'),
    ('depth_worth',),
    ('robustness',),
    ('doctor',),
    ('viewer',),
    ('export',),
    ('inference',),
    ('pseudo_depth',),
    ('bev',),
    ('depth',),
    ('toy_world', 'rigs'),
    ('visualization',),
    ('releases',),
    ('engine',),
    ('datasets',),
    ('foundation',),
    ('checkpoints',),
    ('losses',),
    ('ops',),
    ('geometry',),
    ('digests',),
    (
        'array_files',
        'calibration_checks',
        'config_errors',
        'config_files',
        'devices',
        'files',
        'findings',
        'info_files',
        'kept_memory',
        'mmcv_ext',
        'optional',
        'quick_imports',
        'rotated_boxes',
        'text_files',
        'version',
        'workers',
    ),  # fmt: skip
    ('folding', 'limits', 'plain_pickle'),
    ('errors',),
)
HEIGHT = {room: -level for level, rooms in enumerate(FLOORS) for room in rooms}
# These, and all modules that import them, need mmdet3d.
BEV_ROOMS = ('bev', 'pseudo_depth')
BEV_PACKAGES = ('mmcv', 'mmdet', 'mmdet3d')


def room_of(module: str) -> str:
    return module.split('.')[1] if '.' in module else '__init__'


def imports_of(path: Path) -> Iterator[tuple[int, str, bool]]:
    """(line, absolute module, at the top level of the file) of every import of a package file."""
    package = ['hybrid_depth', *path.relative_to(PACKAGE).parent.parts]
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, top
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = '.'.join([*base, *([node.module] if node.module else [])])
            if module == 'hybrid_depth':  # from .. import room
                for alias in node.names:
                    yield node.lineno, f'{module}.{alias.name}', top
            else:
                yield node.lineno, module, top


FILES = sorted(PACKAGE.rglob('*.py'))


def upward_imports() -> list[str]:
    found = []
    for path in FILES:
        here = path.relative_to(PACKAGE).parts[0].removesuffix('.py')
        if here == '__init__':
            continue
        for line, module, _ in imports_of(path):
            if not module.startswith('hybrid_depth.'):
                continue
            there = room_of(module)
            if there != here and HEIGHT[there] >= HEIGHT[here]:
                found.append(f'{path.relative_to(ROOT)}:{line} imports {there}')
    return found


def test_every_room_has_a_layer():
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix('.py') for path in FILES}
    assert rooms - {'__init__'} == set(HEIGHT)


def test_no_room_imports_one_above_it():
    assert upward_imports() == []


def test_depth_and_ground_rooms_do_not_import_mmdet3d():
    """Not even inside functions: modules that import mmdet3d belong to `bev`."""
    below = HEIGHT['depth']
    found = [
        f'{path.relative_to(ROOT)}:{line} imports {module}'
        for path in FILES
        if (room := path.relative_to(PACKAGE).parts[0].removesuffix('.py')) in HEIGHT
        and HEIGHT[room] <= below
        and room != 'mmcv_ext'
        for line, module, _ in imports_of(path)
        if module.split('.')[0] in BEV_PACKAGES
    ]
    assert found == []


def test_registries_of_two_libraries_have_two_names():
    """A file that uses mmengine's MODELS and mmdet3d's imports them under different names."""
    for path in FILES:
        text = path.read_text()
        imported = re.findall(r'from (mm\w+)\.registry import (.+)', text)
        names = [name.strip() for _, line in imported for name in line.split(',')]
        assert len(names) == len(set(names)), path
