"""Converter of official BEVDet checkpoints (branches dev2 and dev3).

Attribute names are the official ones (docs/reference/bevdet.md, "Checkpoint keys"), so conversion
is a copy. It selects the file, checks keys and shapes, and records the channel order: these weights
were trained on BGR images normalised with the RGB-ordered statistics (docs/reference/bevdet.md,
"Channel order"), as `channel_order='bgr'` of the image backbone does. A wrong order lowers mAP
without any error.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..checkpoints.safe_load import load_checkpoint_file
from ..checkpoints.weights import weights_of
from ..datasets.image_files import natural_key
from .conversion import Conversion, ReleaseError

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
    """Convert an official BEVDet checkpoint, or the averaged one in a folder of checkpoints.

    Raises:
        FileNotFoundError: the file does not exist, or the folder has no checkpoint.
        ReleaseError: v1.0, stereo, or not BEVDet.
    """
    path = _choose(source)
    checkpoint = load_checkpoint_file(path)
    which = 'ema_state_dict' if 'ema_state_dict' in checkpoint else 'state_dict'
    tensors = weights_of(dict(state_dict=checkpoint.get(which, checkpoint)), str(path), ())
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
            'These are not averaged (EMA) weights; published results are of *_ema.pth '
            '(docs/reference/bevdet.md, "Averaged weights").'
        )
    return conversion


def _is_averaged(path: Path) -> bool:
    return path.stem.endswith('_ema')


def _choose(source: Path) -> Path:
    """The file, or the last averaged checkpoint of a folder, else its last checkpoint."""
    if not source.is_dir():
        return source
    files = sorted(source.glob('*.pth'), key=lambda path: (_is_averaged(path), natural_key(path)))
    if not files:
        raise FileNotFoundError(f'{source}: expected a checkpoint (.pth) in the folder, got none')
    return files[-1]


def _variant(state: Mapping[str, Tensor], path: Path) -> str:
    """'base', 'depth', '4d', '4d-depth', '4d-longterm' or '4d-longterm-depth'."""
    if any(key.startswith(_V1) for key in state):
        raise ReleaseError(
            f'{path}: expected a checkpoint of the dev2 or dev3 branch, got one of v1.0. Its BEV '
            'maps are in the LiDAR frame with a z range of -10 to 10 m, its heads have six tasks '
            'and the box convention of mmdet3d < 1.0: it would load with renamed keys, but give '
            'wrong results. Use a dev2/dev3 release.'
        )
    if any('cost_volumn_net' in key for key in state):
        raise ReleaseError(
            f'{path}: expected a model without stereo depth, got BEVDet4D-Stereo, whose cost '
            'volume is not supported; use another release'
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
