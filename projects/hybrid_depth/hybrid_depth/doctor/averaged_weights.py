"""Check whether a checkpoint has averaged (EMA) weights where they are expected."""

from __future__ import annotations

from pathlib import Path

from ..config_errors import paths_of
from ..findings import fault
from .case import Case


def check_averaged_weights(case: Case) -> str:
    """Compare the checkpoint with the config's `EMAHook`.

    mmengine's checkpoints have the averaged weights in `state_dict`, and the current ones in
    `ema_state_dict`.

    Raises:
        ConventionError: the config averages, but the checkpoint was saved without; it has averages
            under names that the model does not have; or the averages are in a file beside it.
        NotCheckedError: no checkpoint.
    """
    weights = case.weights
    expected = any(
        str(hook.get('type', '')).endswith('EMAHook')
        for _, hook in paths_of(case.cfg.get('custom_hooks'), 'type')
    )
    old = [key for key in weights.get('state_dict', weights) if str(key).startswith('ema_')]
    if old:
        raise fault(
            'averaged weights under the names of the model',
            f'{len(old)} tensors ema_* beside the current ones, as mmcv < 2.0 saves them: {old[0]}',
            'replace each weight by its ema_* tensor, whose name has _ for .',
        )
    path = Path(case.source)
    beside = path.with_name(f'{path.stem}_ema{path.suffix}')
    if beside.is_file():
        raise fault('the averaged weights', f'those of {path.name}', f'use {beside}')
    if 'ema_state_dict' in weights:
        return 'averaged, by EMAHook'
    meta = weights.get('meta', {})
    if expected and 'converted_from' not in meta and 'iter' in meta:
        raise fault(
            'averaged weights, as the config has EMAHook',
            'a checkpoint of a training without',
            'use a checkpoint of this config, or compare with scores of weights that are not '
            'averaged',
        )
    return 'current weights; no average is expected'
