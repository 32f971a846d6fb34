"""Foundation weights from a local file or a hub."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from ..checkpoints import load_checkpoint_file
from ..checkpoints.weights import (
    CheckpointMismatchError,
    few,
    part_of,
    require_finite,
    weights_of,
)
from ..errors import HybridDepthError

# Parts of image classifiers and of their training, which feature extractors do not have.
_CLASSIFIERS = ('head', 'fc.', 'fc_norm.', 'classifier.', 'dino_head.', 'ibot_head.', 'mask_token')
SUFFIXES = ('.safetensors', '.pth', '.pt', '.bin', '.npz')


def weights_dir() -> Path:
    """Folder of local weight files: $HYBRID_DEPTH_WEIGHTS, else `checkpoints/` in the working
    directory."""
    return Path(os.environ.get('HYBRID_DEPTH_WEIGHTS', 'checkpoints')).absolute()


def find_weights(pretrained: str, model_name: str) -> Path | None:
    """Local weight file for `pretrained`, or None for a hub tag without a local copy.

    Args:
        pretrained: a file (path, or name in `weights_dir()`), or a hub tag, whose local copy is
            called `<model_name>.<tag><suffix>`.
        model_name: open_clip or timm model name, without tag.

    Raises:
        FileNotFoundError: `pretrained` is a file name and no such file exists.
    """
    if pretrained.endswith(SUFFIXES):
        for path in (Path(pretrained), weights_dir() / pretrained):
            if path.is_file():
                return path
        raise FileNotFoundError(
            f'weights {pretrained!r} for {model_name} not found; put the file at '
            f'{weights_dir() / pretrained} (or set HYBRID_DEPTH_WEIGHTS to the folder it is in)'
        )
    copies = (weights_dir() / f'{model_name}.{pretrained}{suffix}' for suffix in SUFFIXES)
    return next((path for path in copies if path.is_file()), None)


@contextmanager
def hub_download(model_name: str, tag: str, source: str) -> Iterator[None]:
    """Context in which a failed download raises an error that names the expected local file.

    Args:
        model_name: open_clip or timm model name, without tag.
        tag: hub tag.
        source: where the file can be downloaded manually.

    Raises:
        FileNotFoundError: the hub cannot be reached or does not have the model.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        target = weights_dir() / f'{model_name}.{tag}.safetensors'
        raise FileNotFoundError(
            f'could not download weights {tag!r} of {model_name}: {error}\n'
            f'Without network, download them elsewhere ({source}) and save them as {target}, '
            'or set pretrained=None for random weights.'
        ) from error


def read_weights(path: Path, expected: Collection[str]) -> dict[str, Tensor]:
    """Weights of a backbone from a file of its own or of a larger model.

    Args:
        path: file.
        expected: names of the backbone's tensors, see `weights_of` and `part_of`.

    Raises:
        UnsafeCheckpointError, DamagedCheckpointError: see `load_checkpoint_file`.
        CheckpointMismatchError: see `weights_of`.
    """
    weights = weights_of(load_checkpoint_file(path), str(path), expected)
    part = part_of(weights, expected)
    if len(part) < len(weights):
        others = len(weights) - len(part)
        print_log(f'{path}: {len(part)} tensors of the backbone, {others} of other parts not read')
    return part


def build_timm(name: str, pretrained: str | None, **options) -> nn.Module:
    """timm model with weights from a file or the hub; every tensor of the model is loaded.

    timm itself ignores missing and unexpected tensors of models without classifier.

    Args:
        name: timm model name, with the weights' tag if `pretrained` is 'hub'.
        pretrained: None for random weights, 'hub' for the tag in `name`, or a file.
        **options: passed to `timm.create_model`.

    Raises:
        ValueError: unknown model name.
        FileNotFoundError: weights neither found locally nor downloadable.
        CheckpointMismatchError: tensors of the model that the weights do not have, or the reverse
            (except those of classifiers), or NaN.
    """
    import timm  # takes a second to import, with torchvision; many models do not use it

    architecture, _, tag = name.partition('.')
    if architecture not in timm.list_models():
        raise ValueError(f'timm has no model {architecture!r}; timm.list_models() lists them')
    if pretrained is None:
        return timm.create_model(name, **options)
    path = find_weights(tag if pretrained == 'hub' else pretrained, architecture)
    if path is None:
        with hub_download(architecture, tag, f'huggingface.co/timm/{name}'):
            return timm.create_model(name, pretrained=True, **options)
    with _recorded_loads() as loads:
        try:
            model = timm.create_model(
                name, pretrained=True, pretrained_cfg_overlay=_source(path, name), **options
            )
        except HybridDepthError:
            raise
        except Exception as error:  # whatever the conversion of foreign weights leads to
            timm.create_model(name, **options)  # raises the errors of options
            raise CheckpointMismatchError(
                f'{path}: expected the weights of the timm model {architecture}, got: '
                f'{str(error)[:1000]}'
            ) from error
    _require_all_loaded(model, loads, str(path), architecture)
    return model


def _source(path: Path, name: str) -> dict[str, Any]:
    """timm's description of a weight file; JAX files (.npz) are read by the model."""
    import timm

    if path.suffix == '.npz':
        return dict(file=str(path), custom_load=True)
    with torch.device('meta'):
        expected = timm.create_model(name).state_dict()
    weights = read_weights(path, expected)
    return dict(
        state_dict={
            key: value
            for key, value in weights.items()
            if key in expected or not key.startswith(_CLASSIFIERS)
        }
    )


@contextmanager
def _recorded_loads() -> Iterator[list[tuple[nn.Module, Any]]]:
    """Context that lists the models into which weights are loaded and their unmatched names, which
    timm only logs."""
    loads, original = [], nn.Module.load_state_dict

    def recorded(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        unmatched = original(module, *args, **kwargs)
        loads.append((module, unmatched))
        return unmatched

    nn.Module.load_state_dict = recorded
    try:
        yield loads
    finally:
        nn.Module.load_state_dict = original


def _require_all_loaded(model: nn.Module, loads: list, source: str, architecture: str) -> None:
    """Raises CheckpointMismatchError unless every tensor is from the file and finite."""
    for module in model.modules():  # timm keeps the weights that it was given
        getattr(module, 'pretrained_cfg', {}).pop('state_dict', None)
    used = {id(tensor) for tensor in model.state_dict(keep_vars=True).values()}
    problems = []
    for loaded, unmatched in loads:
        tensors = loaded.state_dict(keep_vars=True)
        # parts of the complete model that are not built are not missing
        missing = [key for key in unmatched.missing_keys if id(tensors[key]) in used]
        surplus = [key for key in unmatched.unexpected_keys if not key.startswith(_CLASSIFIERS)]
        problems += [('not in the file', missing), ('not in the model', surplus)]
    found = [f'{len(keys)} {what}: {few(keys)}' for what, keys in problems if keys]
    if found:
        raise CheckpointMismatchError(
            f'{source}: expected the weights of the timm model {architecture}, got tensors '
            f'{"; ".join(found)}. Use the file of this model, or set the name of the model that '
            'the file belongs to.'
        )
    require_finite(model.state_dict(), source)
