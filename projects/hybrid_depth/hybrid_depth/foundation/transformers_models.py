"""Models of `transformers` by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ..errors import HybridDepthError


def load_pretrained(model: str, name: str, what: str, *processors: str) -> list[Any]:
    """A model, in eval mode, and its processors.

    Only `.safetensors` weights are read, and no code of a model's repository is run.

    Args:
        model: auto class of the model, such as AutoModelForSemanticSegmentation.
        name: folder, or name on huggingface.co.
        what: kind of model with its article, for errors.
        processors: auto classes of its processors.

    Raises:
        HybridDepthError: transformers is not installed, or the model cannot be loaded.
    """
    try:
        import transformers
    except ImportError as error:
        raise HybridDepthError(
            f'{what} by name needs the package transformers, which is not installed: pip install '
            '"transformers>=4.50"'
        ) from error
    try:
        loaded = getattr(transformers, model).from_pretrained(
            name, use_safetensors=True, trust_remote_code=False
        )
        others = [
            getattr(transformers, kind).from_pretrained(name, trust_remote_code=False)
            for kind in processors
        ]
    except (OSError, ValueError, KeyError) as error:
        raise HybridDepthError(
            f'expected {what} of transformers in {name} (folder or name on '
            f'huggingface.co) with .safetensors weights, got: {str(error)[:500]}'
        ) from error
    return [loaded.eval(), *others]


def licence_of(name: str) -> str | None:
    """Licence that a model's card (README.md) names; None if there is no card, or it names none.

    Args:
        name: folder, or name on huggingface.co.
    """
    try:
        path = Path(name, 'README.md')
        if not Path(name).is_dir():
            from huggingface_hub import hf_hub_download

            path = Path(hf_hub_download(name, 'README.md'))
        _, header, _ = path.read_text(encoding='utf-8').split('---', 2)
        card = yaml.safe_load(header)
        return str(card.get('license_name') or card['license'])
    except (OSError, ValueError, LookupError, AttributeError, yaml.YAMLError):
        return None  # the model can be used all the same
