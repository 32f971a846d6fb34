"""Models built from a config without loading foundation weights."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from ..config_errors import explained


def without_pretrained(node: Any) -> Any:
    """Copy of a config (part) without weight sources: no `pretrained`, no `init_cfg` of type
    Pretrained."""
    if isinstance(node, dict):
        return {
            key: None if _is_source_of_weights(key, value) else without_pretrained(value)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple):
        return type(node)(without_pretrained(item) for item in node)
    return node


def _is_source_of_weights(key: str, value: Any) -> bool:
    if key == 'init_cfg':
        return isinstance(value, dict) and value.get('type') == 'Pretrained'
    return key == 'pretrained'


def build_model(cfg: Config | dict) -> nn.Module:
    """Build `model` of a complete config, with random weights.

    Raises:
        ConfigError: an unknown component, or an unknown argument of one.
    """
    scope = cfg.get('default_scope') or 'mmengine'
    if find_spec(scope) is None:  # a depth model's config, where mmdet3d is not installed
        scope = 'mmengine'
    with DefaultScope.overwrite_default_scope(scope), explained(cfg):
        return MODELS.build(without_pretrained(cfg['model']))
