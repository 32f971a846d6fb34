"""Reading of a model's config and weights."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from mmengine.config import Config

from ..checkpoints import load_checkpoint_file
from ..checkpoints.strict_load import load_strictly
from ..checkpoints.weights import weights_of
from ..errors import ConfigError
from .config import read_config
from .own_data import apply_own_data


def read_model_config(config: str | Path | Config) -> Config:
    """Config with a model, read from a file or passed through.

    Raises:
        FileNotFoundError: the file does not exist.
        ConfigError: the config has no model.
    """
    if not isinstance(config, Config):
        config = read_config(config)
        apply_own_data(config)
    if 'model' not in config:
        raise ConfigError(f'expected a config with a model, got {sorted(config)}')
    return config


def load_weights(model: torch.nn.Module, checkpoint: str | Path | None) -> dict:
    """Load a checkpoint strictly; errors as of `init_depth_model`.

    Of a model with `weights_by_name`, a checkpoint has only the `meta`.

    Returns:
        Its `meta`.
    """
    by_name = getattr(model, 'weights_by_name', False)
    if checkpoint is None:
        if not by_name:
            warnings.warn(
                f'{type(model).__name__} has random weights: no checkpoint was given', stacklevel=3
            )
        return {}
    content = load_checkpoint_file(checkpoint)
    meta = content.get('meta', {})
    if by_name:
        return meta
    source = str(checkpoint)
    if 'converted_from' in meta:
        config = Path('configs') / meta['config']
        source += f' (of {config} with {meta["config_overrides"] or "no change"})'
    weights = weights_of(content, source, model.state_dict())
    load_strictly(model, weights, source, meta.get('input_channel_order'))
    return meta
