"""Conversion of official releases to checkpoints of this toolkit."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config
from torch import nn

from ..checkpoints.build import build_model
from ..checkpoints.strict_load import load_strictly
from ..checkpoints.weights import require_finite
from ..config_files import FOLDER, find_config
from ..engine.config import read_config
from ..files import atomic_file
from .bevdet import convert_bevdet
from .conversion import Conversion, ReleaseError, sha256
from .depth import convert_hybrid_stage1, convert_hybrid_stage2, convert_monodepth2
from .manydepth import convert_manydepth
from .mono_vifi import convert_ifrnet, convert_mono_vifi
from .stock import compare_with_stock

CONVERTERS = {
    'monodepth2': convert_monodepth2,
    'manydepth': convert_manydepth,
    'mono-vifi': convert_mono_vifi,
    'ifrnet': convert_ifrnet,
    'hybrid-depth-stage1': convert_hybrid_stage1,
    'hybrid-depth-stage2': convert_hybrid_stage2,
    'bevdet': convert_bevdet,
}
_HYBRID_STAGES = {'hybrid-depth-stage1': 1, 'hybrid-depth-stage2': 2}


def convert_checkpoint(
    kind: str,
    source: str | Path,
    out: str | Path,
    config: str | Path | None = None,
    stock_clip: str | None = None,
    stock_dino: str | None = None,
    drop_text_tower: bool = False,
) -> Conversion:
    """Convert a release: rename its entries, check them against the model, write a checkpoint.

    The file has `state_dict` and `meta` (source's sha256, dropped and derived entries, config and
    its overrides); it is written atomically.

    Args:
        kind: one of `CONVERTERS`.
        source: the release's folder (monodepth2, manydepth, mono-vifi, hybrid-depth-stage2) or
            file.
        out: checkpoint to write.
        config: config of the model for the weights, instead of the shipped one.
        stock_clip, stock_dino: original foundation weights to compare a hybrid encoder with: a
            file, or a tag as in `CLIPTower` and `DINOTower`.
        drop_text_tower: store the text features of a hybrid encoder instead of its text tower;
            sufficient for inference, a third smaller.

    Raises:
        FileNotFoundError: a file of the release, the config or stock weights are missing.
        UnsafeCheckpointError: a file could run code.
        ReleaseError: the release is of another kind, or its model is not supported.
        CheckpointMismatchError: the weights do not match the config's model or channel order, or
            are not finite.
    """
    stage = _HYBRID_STAGES.get(kind)
    if stage is None and (stock_clip or stock_dino):
        raise ReleaseError(
            f'stock weights are compared for {list(_HYBRID_STAGES)} only, not {kind}'
        )
    if drop_text_tower and stage != 2:
        raise ReleaseError(f'a text tower can be dropped of hybrid-depth-stage2 only, not {kind}')
    conversion = CONVERTERS[kind](Path(source))
    cfg = _config_of(conversion, config)
    model = build_model(cfg)
    order = conversion.facts.get('input_channel_order')
    require_finite(conversion.state_dict, str(source))
    load_strictly(model, conversion.state_dict, str(source), order)
    if stage:
        encoder = cfg.model.encoder
        found = compare_with_stock(conversion.state_dict, encoder, stock_clip, stock_dino, stage)
        conversion.notes += map(str, found)
    if drop_text_tower:
        _drop_text_tower(model, conversion)
    meta = _meta(kind, conversion)
    with atomic_file(out) as file:
        torch.save(dict(state_dict=conversion.state_dict, meta=meta), file)
    return conversion


def _config_of(conversion: Conversion, config: str | Path | None) -> Config:
    if config is None:
        path = FOLDER / conversion.config
        if not path.is_file():
            raise ReleaseError(
                f'{conversion.files[0]}: expected a release of a model in this version, got '
                f'{conversion.facts}, which needs {path}. Set its config with --config, or '
                'convert with a later version.'
            )
    else:
        path = find_config(config)
        conversion.config, conversion.overrides = str(path.resolve()), {}
    cfg = read_config(path)
    cfg.merge_from_dict(conversion.overrides)
    return cfg


def _drop_text_tower(model: nn.Module, conversion: Conversion) -> None:
    """Replace the text tower by the text features that it computes."""
    model.eval().encoder.drop_text_tower()
    small = model.state_dict()
    for key in set(conversion.state_dict) - set(small):
        conversion.dropped[key] = 'replaced by its output, the text matrix'
        conversion.derived.pop(key, None)
    conversion.derived['encoder.language.matrix'] = 'the text features, rows of unit length'
    conversion.state_dict = dict(small)


def _meta(kind: str, conversion: Conversion) -> dict:
    return dict(
        converted_from=dict(kind=kind, sha256={p.name: sha256(p) for p in conversion.files}),
        config=conversion.config,
        config_overrides=conversion.overrides,
        dropped=conversion.dropped,
        derived=conversion.derived,
        **conversion.facts,
    )
