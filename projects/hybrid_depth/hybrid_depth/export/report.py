"""Report of an export: errors against PyTorch, operators, size and time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .calibration import Array
from .writer import ExportError

# Largest error of an output over its largest value. Of half precision: its rounding, 5e-4, through
# some hundred layers. What 8 bits cost is known by testing the file.
TOLERANCES = {'fp32': 1e-4, 'fp16': 5e-2, 'int8': float('inf')}


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote, and how it compares with PyTorch.

    Attributes:
        path: file.
        errors: largest absolute error by output, over the largest absolute value of the output.
        reference: what the errors are against.
        operators: number of operators by name.
        megabytes: size of the file.
        onnx_seconds, torch_seconds: of one batch, in the same process with equal threads.
    """

    path: str
    errors: Mapping[str, float]
    operators: Counter[str]
    megabytes: float
    onnx_seconds: float
    torch_seconds: float
    reference: str = 'PyTorch'

    def __str__(self) -> str:
        width = max(map(len, self.errors))
        lines = [f'{self.path}: {self.megabytes:.1f} MB']
        lines += [f'largest error against {self.reference}, relative to the largest value:']
        lines += [f'  {name:{width}} {error:.1e}' for name, error in self.errors.items()]
        counts = ', '.join(f'{name} {count}' for name, count in sorted(self.operators.items()))
        lines += [f'operators: {counts}']
        ratio = self.onnx_seconds / self.torch_seconds
        lines += [
            f'time of a batch: onnxruntime {self.onnx_seconds * 1e3:.0f} ms, PyTorch '
            f'{self.torch_seconds * 1e3:.0f} ms, ratio {ratio:.2f}'
        ]
        return '\n'.join(lines)


def relative_errors(
    found: Mapping[str, Array], expected: Mapping[str, Array], precision: str
) -> dict[str, float]:
    """Largest error of each output.

    Raises:
        ExportError: an error above the tolerance of the precision, or a value that is not finite.
    """
    errors = {}
    for name, reference in expected.items():
        if found[name].shape != reference.shape:
            raise ExportError(
                f'expected {name} of shape {reference.shape}, got {found[name].shape} of the file'
            )
        difference = np.abs(found[name].astype(np.float64) - reference).max()
        errors[name] = float(difference / max(np.abs(reference).max(), 1e-12))
    wrong = {name: error for name, error in errors.items() if not error <= TOLERANCES[precision]}
    if wrong:
        raise ExportError(
            f'expected outputs of the file within {TOLERANCES[precision]} of those of PyTorch, got '
            f'relative errors {wrong}'
        )
    return errors


def seconds(*functions: Callable[[], Any], repeats: int = 3) -> list[float]:
    """Median time of a call of each function, in turn, after one that is not counted."""
    times = []
    for _ in range(1 + repeats):
        for function in functions:
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return np.median(np.reshape(times, (1 + repeats, -1))[1:], 0).tolist()
