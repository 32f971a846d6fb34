"""Released BEVDet checkpoints of the dev2 and dev3 branches.

Attribute names here equal the official ones (docs/reference/bevdet.md, "Checkpoint keys"), so
conversion is a copy; what matters is which file, that every key and shape fits, and that the
channel order is not lost: these weights were trained on BGR images normalised with the RGB-ordered
statistics (docs/reference/bevdet.md, "Channel order"), which `channel_order='bgr'` of the image
backbone repeats. A wrong order lowers mAP without any error.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..checkpoints.safe_load import load_checkpoint_file
from ..datasets.image_files import natural_key
from .conversion import Conversion, ReleaseError, split_scalars

_VIEW = 'img_view_transformer.'
_FUSED = 'img_bev_encoder_backbone.layers.0.0.conv1.weight'
_PRE_PROCESS = 'pre_process_net.layers.0.0.conv1.weight'
_V1 = (f'{_VIEW}depthnet.', f'{_VIEW}dx', f'{_VIEW}bx', f'{_VIEW}nx', f'{_VIEW}frustum')
_RECIPE = '8xb8-cbgs-20e_nus-3d_256x704.py'
_CONFIGS = {
    'base': f'bevdet/bevdet_r50_{_RECIPE}',
    'depth': f'bevdet/bevdet_r50-depth_{_RECIPE}',
    '4d': f'bevdet4d/bevdet4d_r50_{_RECIPE}',
    '4d-depth': f'bevdet4d/bevdet4d_r50-depth_{_RECIPE}',
    '4d-longterm': f'bevdet4d/bevdet4d-longterm_r50_{_RECIPE}',
    '4d-longterm-depth': f'bevdet4d/bevdet4d-longterm_r50-depth_{_RECIPE}',
}


def convert_bevdet(source: Path) -> Conversion:
    """A released BEVDet checkpoint, or a folder of them, of which the averaged one is taken.

    Raises:
        FileNotFoundError: no such file, or no checkpoint in the folder.
        ReleaseError: v1.0, stereo, or no BEVDet.
    """
    path = _choose(source)
    checkpoint = load_checkpoint_file(path)
    which = 'ema_state_dict' if 'ema_state_dict' in checkpoint else 'state_dict'
    tensors, _ = split_scalars(_without_wrapper(checkpoint.get(which, checkpoint)), str(path))
    averaged = which == 'ema_state_dict' or 'updates' in checkpoint or _is_averaged(path)
    variant = _variant(tensors, path)
    conversion = Conversion(
        tensors,
        [path],
        _CONFIGS[variant],
        dropped={key: 'no weight' for key in checkpoint if key != which and which in checkpoint},
        facts=dict(input_channel_order='bgr', averaged=averaged, variant=variant),
    )
    conversion.notes.append(f'read: {path.name}, {which}')
    if not averaged:
        conversion.notes.append(
            'These are not averaged (EMA) weights; published scores are those of *_ema.pth '
            '(docs/reference/bevdet.md, "Averaged weights").'
        )
    return conversion


def _is_averaged(path: Path) -> bool:
    return path.stem.endswith('_ema')


def _choose(source: Path) -> Path:
    """The file itself; of a folder the last averaged checkpoint, else the last one."""
    if not source.is_dir():
        return source
    files = sorted(source.glob('*.pth'), key=lambda path: (_is_averaged(path), natural_key(path)))
    if not files:
        raise FileNotFoundError(f'{source}: expected a checkpoint (.pth) in the folder, got none')
    return files[-1]


def _without_wrapper(state: Mapping[str, Any]) -> dict[str, Any]:
    """Without the prefix that a parallel wrapper puts before every key."""
    if state and all(key.startswith('module.') for key in state):
        return {key.removeprefix('module.'): value for key, value in state.items()}
    return dict(state)


def _variant(state: Mapping[str, Tensor], path: Path) -> str:
    """'base', 'depth', '4d', '4d-depth', '4d-longterm' or '4d-longterm-depth'."""
    if any(key.startswith(_V1) for key in state):
        raise ReleaseError(
            f'{path}: expected a checkpoint of the dev2 or dev3 branch, got one of v1.0. Its BEV '
            'maps are in the LiDAR frame with a z range of -10 to 10 m, its heads have six tasks '
            'and the box convention of mmdet3d < 1.0: renaming keys would load, and be wrong. Take '
            'a dev2/dev3 release.'
        )
    if any('cost_volumn_net' in key for key in state):
        raise ReleaseError(
            f'{path}: expected a model without stereo depth, got BEVDet4D-Stereo, whose cost '
            'volume has no counterpart here'
        )
    if f'{_VIEW}depth_net.weight' not in state and f'{_VIEW}depth_net.bn.weight' not in state:
        raise ReleaseError(
            f'{path}: expected BEVDet ({_VIEW}depth_net...), got keys such as {list(state)[:3]}'
        )
    depth = f'{_VIEW}depth_net.bn.weight' in state
    if _FUSED not in state or _PRE_PROCESS not in state:
        return 'depth' if depth else 'base'
    frames = state[_FUSED].shape[1] // state[_PRE_PROCESS].shape[0]
    return '4d' + ('-longterm' if frames > 2 else '') + ('-depth' if depth else '')
