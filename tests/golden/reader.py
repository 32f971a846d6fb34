"""Reading golden files: stored parts of arrays, with statistics of the whole arrays."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from tests.golden import recipe

READ: dict[str, set[str]] = {}  # file -> keys that this process has read
MARGINS: dict[tuple[str, str], float] = {}  # (file, array) -> largest error / limit
_SUMMATION = 1e-9  # relative to the largest value: order of float64 sums


@dataclass(frozen=True)
class Layout:
    """Storage layout of an array.

    Attributes:
        shape: of the whole array.
        take: selects the stored part of a complete array.
        stats: mean, standard deviation and largest absolute value of the whole array in float64,
            and its sum if stored; None for complete arrays without statistics.
    """

    shape: tuple[int, ...]
    take: Callable[[np.ndarray], np.ndarray]
    stats: np.ndarray | None


def _strided(steps) -> Callable[[np.ndarray], np.ndarray]:
    return lambda value: value[tuple(slice(None, None, int(step)) for step in steps)]


class Golden:
    """File of golden arrays, which records the keys that are read; see `unread.py`.

    A test module has its files in module constants, so that a run without its tests does not report
    their arrays as unread.

    Args:
        name: file name without suffix.
        strided_as: a file whose arrays of the same name have the same strides, for a file without
            strides.
    """

    def __init__(self, name: str, strided_as: 'Golden | None' = None) -> None:
        self.name, self.strided_as = name, strided_as

    @cached_property
    def _file(self) -> np.lib.npyio.NpzFile:
        return np.load(recipe.FOLDER / f'{self.name}.npz')

    @cached_property
    def _rules(self) -> dict:
        return json.loads(str(self.array('rules'))) if 'rules' in self else {}

    def __contains__(self, key: str) -> bool:
        return key in self._file.files

    def names(self, pattern: str) -> list[str]:
        """Names of arrays that match, without metadata."""
        ends = ('.shape', '.step', '.stats', '|stats', '.slice')
        found = (k.removesuffix('.slice') for k in self._file.files if not k.endswith(ends[:-1]))
        return [key for key in found if fnmatchcase(key, pattern)]

    def array(self, key: str) -> np.ndarray:
        """Stored value of a key."""
        READ.setdefault(self.name, set()).add(key)
        return self._file[key]

    def __getitem__(self, key: str) -> Tensor:
        return torch.from_numpy(np.asarray(self.array(key)))

    def bits(self, key: str, shape: tuple[int, ...]) -> Tensor:
        """Packed booleans, eight per byte."""
        bits = np.unpackbits(self.array(key))[: int(np.prod(shape))]
        return torch.from_numpy(bits.reshape(shape)).bool()

    def layout(self, key: str) -> Layout:
        """Storage layout of an array, by any of the three conventions of the golden notes."""
        if key in self._rules:
            rule = self._rules[key]
            stats = self.array(f'{key}|stats')
            return Layout(tuple(rule['shape']), _strided(rule['steps']), stats)
        stats = self.array(f'{key}.stats') if f'{key}.stats' in self else None
        if f'{key}.slice' in self:
            step = int(self.array(f'{key}.step'))
            shape = tuple(self.array(f'{key}.shape').tolist())
            return Layout(shape, lambda value: value.reshape(-1)[::step], stats)
        if f'{key}.step' in self:
            shape = tuple(self.array(f'{key}.shape').tolist())
            return Layout(shape, _strided(self.array(f'{key}.step')), stats)
        if self.strided_as is not None and f'{key}.step' in self.strided_as:
            known = self.strided_as.layout(key)
            return Layout(known.shape, known.take, stats)
        return Layout(self.stored(key).shape, lambda value: value, stats)

    def stored(self, key: str) -> np.ndarray:
        """The stored part of an array."""
        return self.array(f'{key}.slice' if f'{key}.slice' in self else key)

    def check(
        self,
        key: str,
        value: Tensor | np.ndarray | float,
        limit: float,
        scale: Tensor | float | None = None,
        free: Tensor | None = None,
    ) -> None:
        """Assert that a complete array equals the golden one in the stored part and statistics.

        Every stored value must be within limit * scale. Statistics of the complete array must be
        within the effect of such errors: the mean by the mean of the allowed errors, the standard
        deviation by their root mean square, the largest value by the largest of them.
        Limits are those of docs/reference/golden.md, "Tolerances", or have a reason beside them.

        Args:
            limit: 0 for equality.
            scale: None for the largest absolute value of the complete array; an array of the
                value's shape is a scale per value.
            free: (shape of the value) bool, unchecked values: cells that rounding may move over an
                edge. The statistics still limit their effect.
        """
        value, stored, layout = _exact(value), self.stored(key), self.layout(key)
        assert value.shape == layout.shape, (self.name, key, value.shape, layout.shape)
        largest = np.abs(stored).max(initial=0) if layout.stats is None else layout.stats[2]
        allowed = np.broadcast_to(limit * _exact(largest if scale is None else scale), value.shape)
        if free is not None:
            allowed = np.where(np.asarray(free), 2 * largest, allowed)
        errors = [_excess(layout.take(value) - stored, layout.take(allowed))]
        if layout.stats is not None:
            errors += _statistics(value, layout.stats, allowed)
        margin = max(errors)
        MARGINS[self.name, key] = max(margin, MARGINS.get((self.name, key), 0))
        assert margin <= 1, (
            f'{self.name}: {key} is off by {margin:.2f} times what is allowed (limit {limit:g} of '
            f'{"the largest value" if scale is None else "the scale given"}); values, then mean, '
            f'deviation and largest value of the whole: {[f"{error:.2g}" for error in errors]}'
        )

    def check_each(self, key: str, value: Tensor | np.ndarray | float, limit: float) -> None:
        """`check` with the magnitude of each value as its scale."""
        self.check(key, value, limit, np.abs(_exact(value)))

    def check_sum(self, keys: list[str], value: Tensor, limit: float) -> None:
        """`check` of a number that is stored as parts of a sum."""
        whole = sum(float(self.array(key)) for key in keys)
        margin = abs(float(_exact(value)) - whole) / (limit * abs(whole))
        MARGINS[self.name, keys[0]] = max(margin, MARGINS.get((self.name, keys[0]), 0))
        assert margin <= 1, f'{self.name}: {keys} sum up to {whole}, got {float(_exact(value))}'

    def check_share(self, key: str, mask: Tensor, share: float) -> None:
        """Assert that at most this share of the stored part of a mask differs."""
        layout, mask = self.layout(key), _exact(mask)
        assert mask.shape == layout.shape, (self.name, key, mask.shape, layout.shape)
        errors = [float((layout.take(mask) != self.stored(key)).mean()) / share]
        if layout.stats is not None:
            errors.append(abs(mask.mean() - layout.stats[0]) / share)
        MARGINS[self.name, key] = max(*errors, MARGINS.get((self.name, key), 0))
        assert max(errors) <= 1, f'{self.name}: {key} has {max(errors):.2f} times the share allowed'


def _exact(value: Tensor | np.ndarray | float) -> np.ndarray:
    """Value as float64."""
    return np.asarray(value.detach() if isinstance(value, Tensor) else value).astype(np.float64)


def _excess(difference: np.ndarray, allowed: np.ndarray) -> float:
    """Largest of |difference| / allowed; infinite for differences where 0 is allowed."""
    difference = np.abs(difference)
    if not difference.size:
        return 0.0
    with np.errstate(divide='ignore', invalid='ignore'):
        ratio = np.where(difference == 0, 0, difference / allowed)
    return float(np.nan_to_num(ratio, nan=np.inf).max())


def _statistics(value: np.ndarray, stats: np.ndarray, allowed: np.ndarray) -> list[float]:
    """Largest error of the statistics, relative to the effect of allowed errors."""
    found = [value.mean(), value.std(), np.abs(value).max(), value.sum()]
    bounds = [allowed.mean(), np.sqrt((allowed**2).mean()), allowed.max(), allowed.sum()]
    rounding = _SUMMATION * stats[2]
    floors = [rounding, rounding, 0, rounding * value.size]
    return [
        _excess(np.asarray(one - other), np.asarray(bound + floor))
        for one, other, bound, floor in zip(found, stats, bounds, floors, strict=False)
    ]
