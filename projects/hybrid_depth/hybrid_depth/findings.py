"""Results of the checks of `hybrid-depth doctor` and `hybrid-depth rig check`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import HybridDepthError


class ConventionError(HybridDepthError, ValueError):
    """Data, config or weights of another convention than the model's."""


class NotCheckedError(HybridDepthError):
    """A check that does not apply, or cannot decide; the text gives the reason."""


def fault(expected: str, got: str, advice: str) -> ConventionError:
    """Error of a check, with what was expected, what was got, and what to do."""
    return ConventionError(f'expected {expected}, got {got}; {advice}')


@dataclass(frozen=True)
class Finding:
    """Result of one check.

    Args:
        check: name of the check.
        state: 'ok', 'fault' or 'skipped'.
        text: what was measured; expected, got and what to do; or the reason.
    """

    check: str
    state: str
    text: str

    def __str__(self) -> str:
        return f'{self.state:8} {self.check}: {self.text}'


def examine(checks: Iterable[tuple[str, Callable[[Any], str]]], case: Any) -> Iterator[Finding]:
    """Results of checks, one by one.

    Args:
        checks: (name, function). A function returns what it measured, or raises `NotCheckedError`,
            or another error for the user, which is a fault.
        case: their argument.
    """
    for name, check in checks:
        try:
            yield Finding(name, 'ok', check(case))
        except NotCheckedError as reason:
            yield Finding(name, 'skipped', str(reason))
        except (HybridDepthError, FileNotFoundError) as error:
            yield Finding(name, 'fault', str(error))
