"""Requirements and effects of imports, each in a new interpreter."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import hybrid_depth
from hybrid_depth.cli import TOOLS
from tests.conftest import ROOT

HIDE = """
import importlib.abc, importlib.machinery, importlib.util, sys
class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {names}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
found = importlib.util.find_spec
def find_spec(name, package=None):
    return None if name.split('.')[0] in {names} else found(name, package)
importlib.util.find_spec = find_spec
sys.meta_path.insert(0, Hide())
"""


def python(code: str) -> subprocess.CompletedProcess:
    env = dict(os.environ, OMP_NUM_THREADS='1')
    return subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, env=env, capture_output=True, text=True
    )


def test_import_registers_models_and_bev_models():
    done = python(
        'import hybrid_depth.modules\n'
        'from mmengine.registry import HOOKS\n'
        'from mmdet3d.registry import MODELS\n'
        "assert HOOKS.get('EpochSeedHook') and HOOKS.get('BEVVisualizationHook')\n"
        "assert MODELS.get('BEVDet')\n"
    )
    assert done.returncode == 0, done.stderr
    assert 'UserWarning: room' not in done.stderr and 'disabled' not in done.stderr


def test_depth_needs_neither_mmcv_nor_mmdet3d():
    hidden = HIDE.format(names=['mmcv', 'mmdet', 'mmdet3d', 'nuscenes', 'lyft_dataset_sdk'])
    done = python(
        hidden + 'import hybrid_depth.modules\n'
        'from hybrid_depth.optional import bev_problem\n'
        "assert bev_problem() == 'not installed: mmcv, mmdet, mmdet3d'\n"
        'from mmengine.registry import HOOKS, MODELS\n'
        "assert HOOKS.get('EpochSeedHook') and MODELS.get('HybridDepthEncoder')\n"
        'from hybrid_depth.env import main\n'
        'main()\n'
    )
    assert done.returncode == 0, done.stderr
    assert 'disabled' not in done.stderr, 'absent is no fault'
    assert 'not installed: mmcv, mmdet, mmdet3d' in done.stdout


def test_broken_ops_are_reported_and_depth_works():
    broken = 'import sys\nsys.modules["mmcv._ext"] = None\n'  # like mmcv without compiled ops
    done = python(
        broken + 'import hybrid_depth.modules\n'
        'from mmengine.registry import MODELS\n'
        "assert MODELS.get('HybridDepthEncoder')\n"
    )
    assert done.returncode == 0, done.stderr
    assert 'BEV models and data sets are disabled; mmdet3d or mmcv is broken' in done.stderr


HEAVY = ('torch', 'mmengine', 'mmcv', 'mmdet3d', 'timm', 'open_clip', 'scipy', 'matplotlib')


def imported(code: str, names: tuple[str, ...]) -> list[str]:
    """The given modules that are loaded after running code in a new interpreter."""
    done = python(f'{code}\nimport sys\nprint([m for m in {names} if m in sys.modules])')
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout.splitlines()[-1])


def test_the_package_imports_nothing_slow():
    assert imported('import hybrid_depth, hybrid_depth.cli', (*HEAVY, 'numpy')) == []


@pytest.mark.parametrize('tool', [None, *TOOLS])
def test_help_imports_nothing_slow(tool):
    argv = ['hybrid-depth', '--help'] if tool is None else ['tool', '--help']
    code = f"""
import contextlib, sys
from hybrid_depth.cli import main
sys.argv = {argv}
with contextlib.suppress(SystemExit):
    main({tool!r})
"""
    assert imported(code, HEAVY) == []


@pytest.mark.parametrize(
    'statement',
    [
        'import hybrid_depth.toy_world',
        'from hybrid_depth.depth.evaluation.protocols import load_protocol',
        'from hybrid_depth.export import OnnxBEVDet; import onnxruntime',
        'from hybrid_depth.visualization import colorize_depth, draw_bev, write_png',
    ],
)
def test_light_rooms_import_nothing_slow(statement):
    assert imported(statement, HEAVY) == []


def test_a_depth_model_imports_no_bev_code_and_no_other_towers():
    code = (
        'from hybrid_depth.depth.estimators.init import init_depth_model\n'
        "init_depth_model('monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py')"
    )
    names = ('mmcv', 'mmdet', 'mmdet3d', 'nuscenes', 'timm', 'open_clip', 'scipy', 'matplotlib')
    assert imported(code, names) == []


def test_a_detector_imports_only_its_towers():
    # mmengine and mmdet import transformers where it is installed, and that torchvision
    code = """
import sys; sys.modules['transformers'] = None
from hybrid_depth.apis import init_bev_model; init_bev_model('toy/bevdet_plain_toy.py')
"""
    # torchvision imports torch's compiler, more than all of mmdet3d
    assert imported(code, ('timm', 'open_clip', 'torchvision')) == []


def test_no_compiled_op_is_imported():
    """mmcv's attention is a base class here; its sampling is written in PyTorch."""
    found = set()
    for path in Path(hybrid_depth.__file__).parent.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('mmcv.ops'):
                found |= {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom) and node.module == 'mmdet3d.models.layers':
                found |= {alias.name for alias in node.names}
    assert found == {
        'MultiScaleDeformableAttention',
        'circle_nms',  # compiled by numba
    }
