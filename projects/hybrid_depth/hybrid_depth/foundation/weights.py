"""Foundation weights from a local file or a hub."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import nn

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


def build_timm(name: str, pretrained: str | None, **options) -> nn.Module:
    """timm model with weights from a file or the hub.

    Args:
        name: timm model name, with the weights' tag if `pretrained` is 'hub'.
        pretrained: None for random weights, 'hub' for the tag in `name`, or a file.
        **options: passed to `timm.create_model`.

    Raises:
        ValueError: unknown model name.
        FileNotFoundError: weights neither found locally nor downloadable.
    """
    import timm  # takes a second to import, with torchvision; many models do not use it

    architecture, _, tag = name.partition('.')
    if architecture not in timm.list_models():
        raise ValueError(f'timm has no model {architecture!r}; timm.list_models() lists them')
    if pretrained is None:
        return timm.create_model(name, **options)
    path = find_weights(tag if pretrained == 'hub' else pretrained, architecture)
    if path is not None:
        overlay = dict(file=str(path))
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options)
    with hub_download(architecture, tag, f'huggingface.co/timm/{name}'):
        return timm.create_model(name, pretrained=True, **options)
