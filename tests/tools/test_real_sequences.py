"""Models of several frames on complete real sequences, with weights in the released layouts."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.datasets.kitti.calibration import KittiCalibration
from tests.conftest import ROOT
from tests.golden.monodepth2 import DRIVE
from tests.releases import test_manydepth, test_mono_vifi
from tests.releases.official_files import save_folder
from tests.tools.run import run_tool

NEIGHBOURS = {'manydepth': [0, -1], 'mono-vifi': [0, -1, 1]}
CONFIGS = {
    'manydepth': test_manydepth.CONFIG,
    'mono-vifi': ROOT / test_mono_vifi.CONFIG(test_mono_vifi.BACKBONES['ResNet18']),
}


def random_weights(files: dict) -> dict:
    """The tensors of released files with random values, of variance 1 / fan-in."""
    torch.manual_seed(0)
    if not isinstance(files, dict):
        if not isinstance(files, torch.Tensor) or files.dim() < 2:
            return files
        return torch.randn(files.shape) / files[0].numel() ** 0.5
    filled = {key: random_weights(value) for key, value in files.items()}
    ones = {key for key in filled if key.endswith('running_var')}
    return {key: torch.ones_like(v) if key in ones else v for key, v in filled.items()}


def released(kind: str, folder: Path) -> Path:
    """A released folder."""
    if kind == 'manydepth':
        return save_folder(folder, test_manydepth.official_files())
    files = {f'vfi_{size}.pth': test_mono_vifi.interpolation(size) for size in ('small', 'large')}
    return save_folder(folder, random_weights(files | {'model.pth': test_mono_vifi.official()}))


def check_sequence(kind: str, images: Path, intrinsics: list[float], folder: Path) -> None:
    """Convert, predict from several frames and from one, and compare."""
    weights = folder / 'converted.pth'
    assert run_tool('convert_checkpoint.py', kind, released(kind, folder / 'rel'), weights) is None
    arguments = ('--config', CONFIGS[kind], '--checkpoint', weights, '--intrinsics', *intrinsics)
    depth = {}
    for name, options in (('several', ()), ('one', ('--frames', 0))):
        out = folder / name
        assert run_tool('infer_depth.py', images, out, *arguments, *options) is None
        listed = json.loads((out / 'manifest.json').read_text())['files']
        depth[name] = [np.load(path) for path in sorted((out / 'depth').glob('*.npy'))]
        count = len(list(images.glob('*.*g')))
        assert len(listed) == len(depth[name]) == len(list((out / 'color').iterdir())) == count
        for i, file in enumerate(listed):
            there = [k for k in NEIGHBOURS[kind] if 0 <= i + k < count]
            whole = len(there) == len(NEIGHBOURS[kind]) or kind == 'manydepth'
            assert file['frames'] == (there if name == 'several' else [0]) or not whole
    size = Image.open(next(images.glob('*.*g'))).size
    for several, one in zip(depth['several'][1:-1], depth['one'][1:-1], strict=True):
        assert several.shape == one.shape == size[::-1]
        assert np.isfinite(several).all() and (several > 0).all() and several.std() > 0
        assert not np.allclose(several, one)


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:.*single-frame mode')
@pytest.mark.parametrize('kind', CONFIGS)
def test_a_kitti_drive(real_data, tmp_path, kind):
    drive = real_data / 'kitti_raw' / DRIVE
    camera = KittiCalibration.from_folder(drive.parent).projections[2]
    intrinsics = [camera[0, 0], camera[1, 1], camera[0, 2], camera[1, 2]]
    check_sequence(kind, drive / 'image_02/data', intrinsics, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:.*single-frame mode')
@pytest.mark.parametrize('kind', CONFIGS)
def test_an_odometry_sequence(real_data, tmp_path, kind):
    sequence = real_data / 'kitti_odometry/sequences/06'
    values = (sequence / 'calib.txt').read_text().split()[:12]
    fx, cx, fy, cy = (float(values[i]) for i in (0, 2, 5, 6))
    check_sequence(kind, sequence / 'image_0', [fx, fy, cx, cy], tmp_path)
