"""Report on the environment (`python -m hybrid_depth.env`): versions, and ops on each device."""

import importlib
import importlib.metadata
import platform
from collections.abc import Callable
from functools import partial

import torch

from . import mmcv_ext
from .env_ops import OPS
from .optional import bev_problem
from .version import __version__

Row = tuple[str, str, str]


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return '-'


def _state(check: Callable[[], str]) -> str:
    """Result of a check; failures become text of the table, not exceptions."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 (the table reports any failure)
        return f'BROKEN: {type(error).__name__}: {str(error)[:160]}'


def _row(name: str, distributions: str, check: Callable[[], str]) -> Row:
    """One line of the table.

    Args:
        name: name in the table.
        distributions: alternative distributions, separated by spaces.
        check: returns the state, or raises.
    """
    for version in map(_version, distributions.split()):
        if version != '-':
            return name, version, _state(check)
    return name, '-', 'not installed'


def _imports(module: str) -> Callable[[], str]:
    def check() -> str:
        importlib.import_module(module)
        return 'ok'

    return check


def _torch() -> str:
    torch.ones(8).sum().item()
    return f'ok, {torch.get_num_threads()} CPU threads'


def _cuda() -> str:
    if not torch.cuda.is_available():
        return 'no GPU: everything runs on the CPU'
    torch.ones(8, device='cuda').sum().item()
    return f'ok, {torch.cuda.get_device_name()} (torch built for CUDA {torch.version.cuda})'


def _triton() -> str:
    importlib.import_module('triton')
    return 'ok' if torch.cuda.is_available() else 'imports; needs a GPU to run'


def _mmcv() -> str:
    if mmcv_ext.is_compiled():
        ops = importlib.import_module('mmcv.ops')
        return f'ok, with compiled ops (CUDA: {ops.get_compiling_cuda_version()})'
    return 'ok, without compiled ops (mmcv-lite), which are not needed'


def _bev() -> str:
    problem = bev_problem()
    return 'ok, BEV models are registered' if problem is None else problem


def collect() -> list[Row]:
    """Rows (name, version, state) of the table, ops by device at the end; never raises."""
    devices = ['cpu', *(['cuda:0'] if torch.cuda.is_available() else [])]
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
        _row('mmengine', 'mmengine mmengine-lite', _imports('mmengine.runner')),
        _row('mmcv', 'mmcv mmcv-lite', _mmcv),
        _row('mmdet', 'mmdet', _imports('mmdet.models')),
        _row('mmdet3d', 'mmdet3d', _bev),
        _row('nuScenes devkit', 'nuscenes-devkit', _imports('nuscenes.eval.detection.evaluate')),
        *(
            (name, device, _state(partial(op, device)))
            for device in devices
            for name, op in OPS.items()
        ),
    ]


def main() -> None:
    """Print the table."""
    rows = [('what', 'version', 'state'), *collect()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, version, state in rows:
        print(f'{name:{widths[0]}}  {version:{widths[1]}}  {state}')


if __name__ == '__main__':
    main()
