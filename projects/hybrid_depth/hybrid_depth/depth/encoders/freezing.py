"""Freezing of parts of an encoder."""

from collections.abc import Sequence

from torch import nn


def set_trainable(module: nn.Module, trainable: str | Sequence[str]) -> None:
    """Make only the named parts of `module` trainable.

    Args:
        module: module whose parameters' `requires_grad` is set.
        trainable: 'all', 'none', or prefixes of parameter names that end at a dot, e.g.
            ('clip.visual', 'dino.vit.blocks.11', 'language.prompts').

    Raises:
        ValueError: a prefix matches no parameter.
    """
    if isinstance(trainable, str):
        if trainable not in ('all', 'none'):
            raise ValueError(
                f"trainable: expected 'all', 'none' or name prefixes, got {trainable!r}"
            )
        module.requires_grad_(trainable == 'all')
        return
    unused = set(trainable)
    for name, parameter in module.named_parameters():
        hits = {prefix for prefix in trainable if f'{name}.'.startswith(f'{prefix}.')}
        parameter.requires_grad_(bool(hits))
        unused -= hits
    if unused:
        parts = sorted({'.'.join(name.split('.')[:2]) for name, _ in module.named_parameters()})
        raise ValueError(f'no parameter starts with {sorted(unused)}; parts are {parts}')


def is_frozen(module: nn.Module) -> bool:
    """Whether the module has parameters and none of them is trainable."""
    flags = (p.requires_grad for p in module.parameters())
    # called in every training step: the first trainable parameter ends the search
    return not next(flags, True) and not any(flags)


def eval_frozen(module: nn.Module) -> None:
    """Set the frozen parts of `module` to eval mode, which also freezes BatchNorm statistics."""
    for child in module.children():
        if is_frozen(child):
            child.eval()
        else:
            eval_frozen(child)
