"""Top-level keys of a config: those of mmengine's Runner, and variables of the config itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping

from mmengine.config import Config
from mmengine.runner import Runner

from ..config_errors import nearest
from ..errors import ConfigError

#: Keys that Runner or this project read from the config, beside Runner's arguments.
_MORE = {
    'activation_checkpointing', 'compile', 'custom_imports', 'efficient_conv_bn_eval',
    'find_unused_parameters', 'model_wrapper_cfg', 'own_data', 'runner_type', 'sync_bn',
}  # fmt: skip
KNOWN = (set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'}) | _MORE
#: Keys of mmcv 1.x and common slips, which have no effect.
_INSTEAD = dict(
    checkpoint_config='default_hooks.checkpoint',
    evaluation='val_evaluator and train_cfg.val_interval',
    hooks='custom_hooks',
    log_config='default_hooks.logger',
    lr_config='param_scheduler',
    lr_scheduler='param_scheduler',
    optimizer_config='optim_wrapper',
    optimizer_wrapper='optim_wrapper',
    resume_from='resume=True and load_from',
    seed='randomness',
    test_config='test_cfg',
    total_epochs='train_cfg.max_epochs',
    train_config='train_cfg',
    val_config='val_cfg',
)
_SIMILAR = 0.87  # train_loader, a usual variable, is 0.86 similar to train_dataloader


def check_keys(cfg: Config) -> None:
    """Reject top-level keys that look like those of Runner, which ignores all others.

    Raises:
        ConfigError: a misspelt key, or one of mmcv 1.x.
    """
    for key in cfg:
        if key in KNOWN:
            continue
        instead = f'; use {_INSTEAD[key]}.' if key in _INSTEAD else nearest(key, KNOWN, _SIMILAR)
        if instead:
            raise ConfigError(
                f"{cfg.filename}: expected keys of mmengine's Runner or variables of the config, "
                f'got {key!r}, which has no effect{instead} Rename it if it is a variable.'
            )


def check_options(cfg: Config, options: Mapping | None) -> None:
    """Reject values of `--cfg-options` below a top-level key that does not exist.

    Raises:
        ConfigError: such an option.
    """
    known: Iterable[str] = {*cfg, *KNOWN}
    for option in options or ():
        if option.split('.')[0] not in known:
            raise ConfigError(
                f'--cfg-options expected a key of {cfg.filename}, got {option!r}'
                f'{nearest(option.split(".")[0], known)}'
            )
