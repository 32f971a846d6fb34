"""A process in which onnxruntime and numpy are all that is installed beside this package."""

import subprocess
import sys
from pathlib import Path

import numpy as np

_BLOCK = """
import sys
INSTALLED = {'hybrid_depth', 'numpy', 'onnxruntime'}
INSTALLED |= {'coloredlogs', 'flatbuffers', 'google', 'packaging', 'sympy'}  # onnxruntime's own
class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition('.')[0]
        if top not in INSTALLED | set(sys.stdlib_module_names):
            raise ModuleNotFoundError(f'No module named {top!r} (blocked)', name=name)
sys.meta_path.insert(0, Blocker())
try:
    import torch
except ModuleNotFoundError:
    pass
else:
    raise SystemExit('torch is not blocked')
import numpy as np
inputs = dict(np.load(sys.argv[1]))
"""


def run_alone(code: str, file: Path, folder: Path, **inputs: np.ndarray) -> np.ndarray:
    """What ``code`` leaves as ``found``, computed from ``inputs`` and the path ``file``."""
    np.savez(folder / 'inputs.npz', **inputs)
    code = f'{_BLOCK}file = sys.argv[2]\n{code}\nnp.save(sys.argv[3], found)'
    out = folder / 'found.npy'
    command = [sys.executable, '-c', code, folder / 'inputs.npz', file, out]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return np.load(out)
