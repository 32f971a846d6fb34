"""Models of `transformers` by name."""

from __future__ import annotations

from typing import Any

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
            '"transformers>=4.50"; or give the labels or captions as files (data/README.md)'
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
