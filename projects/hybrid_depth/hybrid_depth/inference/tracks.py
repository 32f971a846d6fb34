"""Tracks of detections by constant-velocity association."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Largest distance between a predicted position and a detection, metres, whatever the class.
GATE = 4.0
#: Seconds that a track is continued without a detection.
PATIENCE = 1.5


@dataclass
class Track:
    """Object over time, in the global frame.

    Attributes:
        number: unique number, from 1.
        label: class number.
        velocity: (2,) m/s, of the last detection.
        times: seconds, of each detection.
        positions: (x, y, z) metres, of each detection.
    """

    number: int
    label: int
    velocity: np.ndarray
    times: list[float] = field(default_factory=list)
    positions: list[np.ndarray] = field(default_factory=list)

    def predicted(self, time: float) -> np.ndarray:
        """Position (3,) at a time, at constant velocity from the last detection."""
        ahead = self.velocity * (time - self.times[-1])
        return self.positions[-1] + np.append(ahead, 0)


class Tracker:
    """Greedy association: detections, best first, take the nearest track of their class.

    A track's position is predicted at its constant velocity. Detections without a track within the
    gate begin a new one. The association of CenterPoint's tracker (arXiv 2006.11275, Section 4.3),
    which moves detections back in place of tracks forward.

    Args:
        gate: largest distance, metres.
        patience: seconds that a track is continued without a detection.

    Example:
        >>> tracker, boxes = Tracker(), np.array([[0.0, 0, 0]])
        >>> for time in (0.0, 0.5):
        ...     numbers = tracker.update(time, boxes + 10 * time, [3], [0.9], [[10.0, 10.0]])
        >>> numbers, len(tracker.tracks[0].positions)
        ([1], 2)
    """

    def __init__(self, gate: float = GATE, patience: float = PATIENCE) -> None:
        self.gate, self.patience = gate, patience
        self.tracks: list[Track] = []
        self._count = 0

    def update(
        self,
        time: float,
        positions: np.ndarray,
        labels: np.ndarray,
        scores: np.ndarray,
        velocities: np.ndarray,
    ) -> list[int]:
        """Associate the detections of one moment; moments come in order.

        Args:
            time: seconds.
            positions: (M, 3) metres, global frame.
            labels: (M,) class numbers.
            scores: (M,).
            velocities: (M, 2) m/s, global frame; NaN counts as standing.

        Returns:
            Number of the track of each detection.
        """
        self.tracks = [t for t in self.tracks if time - t.times[-1] <= self.patience]
        free, numbers = list(self.tracks), [0] * len(labels)
        for index in np.argsort(-np.asarray(scores), kind='stable'):
            track = self._nearest(free, time, positions[index], int(labels[index]))
            if track is None:
                self._count += 1
                track = Track(self._count, int(labels[index]), np.zeros(2))
                self.tracks.append(track)
            else:
                free.remove(track)
            track.times.append(time)
            track.positions.append(np.asarray(positions[index], np.float64))
            track.velocity = np.nan_to_num(np.asarray(velocities[index], np.float64))
            numbers[index] = track.number
        return numbers

    def _nearest(
        self, free: list[Track], time: float, position: np.ndarray, label: int
    ) -> Track | None:
        """Nearest track of a class within the gate."""
        near = [
            (float(np.linalg.norm((track.predicted(time) - position)[:2])), track)
            for track in free
            if track.label == label
        ]
        distance, track = min(near, key=lambda pair: pair[0], default=(np.inf, None))
        return track if distance < self.gate else None
