"""`python -m hybrid_depth.env`: versions, and what works here."""

import importlib
import importlib.metadata
import platform
from collections.abc import Callable

import torch

from .optional import bev_problem
from .version import __version__

Row = tuple[str, str, str]


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return '-'


def _row(name: str, distribution: str, check: Callable[[], str]) -> Row:
    """One line of the table; a check that fails is the line's content, never an exception."""
    version = _version(distribution)
    if version == '-':
        return name, version, 'not installed'
    try:
        return name, version, check()
    except Exception as error:  # noqa: BLE001 (whatever is broken is what this table is for)
        return name, version, f'BROKEN: {type(error).__name__}: {str(error)[:160]}'


def _imports(module: str) -> Callable[[], str]:
    def check() -> str:
        importlib.import_module(module)
        return 'ok'

    return check


def _torch() -> str:
    layer = torch.nn.Linear(4, 4).to(torch.bfloat16)
    layer(torch.ones(1, 4, dtype=torch.bfloat16)).sum().backward()
    return f'ok, bf16 works, {torch.get_num_threads()} CPU threads'


def _cuda() -> str:
    if not torch.cuda.is_available():
        return 'no GPU: everything runs on the CPU'
    torch.ones(8, device='cuda').sum().item()
    return f'ok, {torch.cuda.get_device_name()} (torch built for CUDA {torch.version.cuda})'


def _triton() -> str:
    importlib.import_module('triton')
    return 'ok' if torch.cuda.is_available() else 'imports; needs a GPU to run'


def _mmcv_ops() -> str:
    ops = importlib.import_module('mmcv.ops')
    boxes = torch.tensor([[0, 0, 4, 2, 0.0], [0, 0, 4, 2, 0.1], [9, 9, 4, 2, 0.0]])
    _, kept = ops.nms_rotated(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5)
    if kept.tolist() != [0, 2]:
        raise RuntimeError(f'nms_rotated kept {kept.tolist()}, expected [0, 2]')
    compiled = ops.get_compiling_cuda_version()
    return f'ok, nms_rotated works, {"CPU ops" if compiled == "not available" else compiled}'


def _bev() -> str:
    problem = bev_problem()
    return 'ok, BEV models are registered' if problem is None else problem


def collect() -> list[Row]:
    """Rows (name, version, state) of the table; nothing raises."""
    return [
        ('hybrid-depth', __version__, 'ok'),
        ('Python', platform.python_version(), platform.platform()),
        _row('PyTorch', 'torch', _torch),
        _row('torchvision', 'torchvision', _imports('torchvision.ops')),
        _row('CUDA', 'torch', _cuda),
        _row('Triton', 'triton', _triton),
        _row('numpy', 'numpy', _imports('numpy')),
        _row('OpenCV', 'opencv-python-headless', _imports('cv2')),
        _row('timm (DINO)', 'timm', _imports('timm')),
        _row('open_clip (CLIP)', 'open_clip_torch', _imports('open_clip')),
        _row('mmengine', 'mmengine', _imports('mmengine.runner')),
        _row('mmcv ops', 'mmcv', _mmcv_ops),
        _row('mmdet', 'mmdet', _imports('mmdet.models')),
        _row('mmdet3d', 'mmdet3d', _bev),
        _row('nuScenes devkit', 'nuscenes-devkit', _imports('nuscenes.eval.detection.evaluate')),
    ]


def main() -> None:
    """Print the table."""
    rows = [('what', 'version', 'state'), *collect()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, version, state in rows:
        print(f'{name:{widths[0]}}  {version:{widths[1]}}  {state}')


if __name__ == '__main__':
    main()
