"""Ground planes of the images of an output folder, on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..digests import differences
from ..files import atomic_file
from ..geometry import GroundPlaneFit


class PlaneRecords:
    """Planes by image, one JSON line each. Each process adds to its own file and reads all.

    Args:
        out: output folder.
        kind: beginning of the names of the files.
        rank: number of this process.
    """

    def __init__(self, out: Path, kind: str, rank: int) -> None:
        self._out, self._kind, self._file = out, kind, out / f'{kind}_{rank:03d}.jsonl'
        self._held = self._read()
        if self._file.is_file():
            self._append('')  # ends the incomplete line of a killed process

    def find(self, name: str, origin: dict[str, str]) -> GroundPlaneFit | None:
        """The plane of an image that was made from the same, else None."""
        held = self._held.get(name)
        if held is None or differences(held['made_from'], origin):
            return None
        mean, covariance = np.array(held['inverse']), np.array(held['covariance'])
        return GroundPlaneFit(mean, covariance, held['measurements'])

    def add(self, name: str, fit: GroundPlaneFit, origin: dict[str, str]) -> None:
        """Record the plane of an image and what it was made from."""
        plane = fit.plane
        record = dict(
            image=name,
            normal=plane.normal.tolist(),
            height=float(plane.height),
            pitch_degrees=float(plane.pitch.rad2deg()),
            roll_degrees=float(plane.roll.rad2deg()),
            height_std=fit.height_std,
            pitch_std_degrees=float(np.degrees(fit.pitch_std)),
            roll_std_degrees=float(np.degrees(fit.roll_std)),
            measurements=fit.used,
            inverse=fit.inverse.tolist(),
            covariance=fit.covariance.tolist(),
            made_from=origin,
        )
        self._append(json.dumps(record))

    def merge(self, path: Path) -> None:
        """Write the planes of all processes to a JSON file; the last one to finish has all."""
        records = self._read()
        with atomic_file(path, 'w') as file:
            json.dump({name: records[name] for name in sorted(records)}, file, indent=1)

    def _append(self, line: str) -> None:
        with open(self._file, 'a') as file:
            file.write(line + '\n')

    def _read(self) -> dict[str, dict]:
        """Records of all processes; incomplete lines of killed processes are skipped."""
        records = {}
        for path in sorted(self._out.glob(f'{self._kind}_*.jsonl')):
            for line in path.read_text().splitlines():
                try:
                    record = json.loads(line)
                    records[record['image']] = record
                except (json.JSONDecodeError, TypeError, KeyError):
                    continue
        return records
