"""Output of depth evaluation results as text and files."""

from __future__ import annotations

import json
from pathlib import Path

from ...files import atomic_file

_COLUMNS = ('abs_rel', 'rmse', 'a1')  # of the distance table


def result_table(result: dict) -> str:
    """Table of a result of `score_set`: protocol, metrics, scale, errors by distance."""
    protocol, scale = result['protocol'], result['scale']
    names = list(result['metrics'])
    lines = [
        f'protocol {protocol["name"]}: {result["images"]} images, {result["pixels"]} pixels, '
        f'{result["kind"]}, scaling {protocol["scaling"]}',
        '  '.join(f'{name:>8}' for name in names),
        '  '.join(f'{result["metrics"][name]:8.4f}' for name in names),
        *(
            '  '.join(f'{metrics[name]:8.4f}' for name in names) + f'  {mode}'
            for mode, metrics in result.get('modes', {}).items()
        ),
        *(_motion_row(part, row, names) for part, row in result.get('motion', {}).items()),
        f'scale (truth / prediction): median {scale["median"]:.4g}, spread {scale["spread"]:.4f}',
        f'{"metres":>10}{"pixels":>12}{"abs_rel":>10}{"rmse":>10}{"a1":>10}',
    ]
    for row in result['distances']:
        bounds = '-'.join(f'{bound:g}' for bound in row['metres'])
        values = [f'{row[name]:10.4f}' if name in row else f'{"-":>10}' for name in _COLUMNS]
        lines.append(f'{bounds:>10}{row["pixels"]:>12}{"".join(values)}')
    if result['images_without_truth']:
        lines.append(f'{result["images_without_truth"]} images have no valid ground truth')
    export = result.get('truth_export')
    if export and not export['complete']:
        lines.append(
            f'PARTIAL: ground truth of {export["maps"]} of the {export["frames"]} frames of '
            f'{export["split"]}'
        )
    return '\n'.join(lines)


def _motion_row(part: str, row: dict, names: list[str]) -> str:
    """Metrics of the moving or static pixels, and how many there are."""
    if not row['images']:
        return f'{part}: no image has such pixels'
    values = '  '.join(f'{row["metrics"][name]:8.4f}' for name in names)
    return f'{values}  {part}: {row["images"]} images, {row["pixels"]} pixels'


def write_result(result: dict, path: str | Path) -> None:
    """Write a result as JSON, atomically."""
    with atomic_file(path, 'w') as file:
        json.dump(result, file, indent=2, allow_nan=False)
