"""Text report of a conversion."""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from pathlib import Path

from .conversion import Conversion


def conversion_report(conversion: Conversion) -> str:
    """Report of kept, dropped (all keys, by reason) and derived entries, then the notes."""
    numbers = sum(v.numel() for v in conversion.state_dict.values() if v.is_floating_point())
    lines = [f'kept: {len(conversion.kept)} tensors, unchanged']
    parts = Counter('.'.join(key.split('.')[:2]) for key in conversion.kept)
    lines += [f'  {count:4}  {part}' for part, count in parts.items()]
    lines.append(f'dropped: {len(conversion.dropped)} entries')
    by_reason = defaultdict(list)
    for key, reason in conversion.dropped.items():
        by_reason[reason].append(key)
    for reason, keys in by_reason.items():
        lines.append(f'  {len(keys):4}  {reason}:')
        lines += textwrap.wrap(
            ', '.join(sorted(keys)),
            110,
            initial_indent=' ' * 8,
            subsequent_indent=' ' * 8,
            break_long_words=False,
            break_on_hyphens=False,
        )
    lines.append(f'derived: {len(conversion.derived)} tensors')
    lines += [f'  {key}: {how}' for key, how in conversion.derived.items()]
    lines += conversion.notes
    target = str(Path('configs') / conversion.config)
    if conversion.overrides:
        target += ' with ' + ', '.join(f'{k}={v}' for k, v in conversion.overrides.items())
    lines.append(f'fits {target}: {len(conversion.state_dict)} tensors, {numbers:,} numbers')
    return '\n'.join(lines)
