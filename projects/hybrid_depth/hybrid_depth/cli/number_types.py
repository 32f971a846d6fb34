"""Types of numeric arguments: argparse refuses other numbers, NaN and infinity in one sentence."""

import argparse
import math
from collections.abc import Callable

from ..text_files import parse_number


def at_least(minimum: int) -> Callable[[str], int]:
    """Type of whole numbers from a minimum on."""

    def parse(text: str) -> int:
        try:
            value = parse_number(text, int)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise argparse.ArgumentTypeError(
                f'expected a whole number of at least {minimum}, got {text!r}'
            )
        return value

    return parse


def whole(text: str) -> int:
    """Type of whole numbers."""
    try:
        return parse_number(text, int)
    except ValueError:
        raise argparse.ArgumentTypeError(f'expected a whole number, got {text!r}') from None


def finite(text: str) -> float:
    """Type of numbers other than NaN and infinity."""
    return _number(text, math.isfinite, 'a finite number')


def positive(text: str) -> float:
    """Type of finite numbers above 0."""
    return _number(text, lambda value: 0 < value < math.inf, 'a finite number above 0')


def not_negative(text: str) -> float:
    """Type of finite numbers from 0 on."""
    return _number(text, lambda value: 0 <= value < math.inf, 'a finite number of at least 0')


def fraction(text: str) -> float:
    """Type of numbers from 0 to 1."""
    return _number(text, lambda value: 0 <= value <= 1, 'a number from 0 to 1')


def _number(text: str, allowed: Callable[[float], bool], form: str) -> float:
    try:
        value = parse_number(text)
    except ValueError:
        value = math.nan
    if not allowed(value):
        raise argparse.ArgumentTypeError(f'expected {form}, got {text!r}')
    return value
