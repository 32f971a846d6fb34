"""What importing the package needs and does, each in a fresh interpreter."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import hybrid_depth
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
        "assert HOOKS.get('EpochSeedHook') and HOOKS.get('BEVPictureHook')\n"
        "assert MODELS.get('BEVDet')\n"
    )
    assert done.returncode == 0, done.stderr
    assert 'UserWarning: room' not in done.stderr and 'switched off' not in done.stderr


def test_depth_alone_needs_neither_mmcv_nor_mmdet3d():
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
    assert 'switched off' not in done.stderr, 'absent is no fault'
    assert 'not installed: mmcv, mmdet, mmdet3d' in done.stdout


def test_broken_ops_are_said_and_depth_still_works():
    broken = 'import sys\nsys.modules["mmcv._ext"] = None\n'  # as mmcv without compiled ops
    done = python(
        broken + 'import hybrid_depth.modules\n'
        'from mmengine.registry import MODELS\n'
        "assert MODELS.get('HybridDepthEncoder')\n"
    )
    assert done.returncode == 0, done.stderr
    assert 'BEV models and data sets are switched off; mmdet3d or mmcv is broken' in done.stderr


def test_no_compiled_op_is_imported():
    """mmcv's attention is a base class here; its samples are taken by the PyTorch function."""
    found = set()
    for path in Path(hybrid_depth.__file__).parent.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('mmcv.ops'):
                found |= {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom) and node.module == 'mmdet3d.models.layers':
                found |= {alias.name for alias in node.names}
    assert found == {
        'MultiScaleDeformableAttention',
        'multi_scale_deformable_attn_pytorch',
        'circle_nms',  # compiled by numba
    }
