"""Learning curve of a depth training: loss and scores at every validation, from its log."""

import json
from pathlib import Path

SCORES = ('abs_rel', 'rmse', 'a1')


def read_scalars(work_dir: str | Path) -> list[dict]:
    """Entries of all logs below a work dir, in order of writing.

    Raises:
        FileNotFoundError: no log exists.
    """
    logs = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    if not logs:
        raise FileNotFoundError(f'expected the log of a training below {work_dir}, got none')
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def learning_table(work_dir: str | Path) -> str:
    """One line per validation: epoch, mean loss of the last iterations before it (for epoch 0, of
    the first ones after it), scores."""
    lines = [f'{"epoch":>6}{"loss":>10}' + ''.join(f'{name:>10}' for name in SCORES)]
    entries = read_scalars(work_dir)
    loss = next((entry['loss'] for entry in entries if 'loss' in entry), float('nan'))
    for entry in entries:
        loss = entry.get('loss', loss)
        if 'depth/abs_rel' in entry:
            row = [loss, *(entry[f'depth/{name}'] for name in SCORES)]
            lines.append(f'{entry["step"]:>6}' + ''.join(f'{value:10.4f}' for value in row))
    return '\n'.join(lines)


def main(work_dir: str) -> None:
    """Print the table."""
    print(learning_table(work_dir))
