"""A scene of the toy world: street, moving actors, ego vehicle and static scenery."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..rotated_boxes import points_in_boxes
from .shapes import BOX_MARGIN, GROUND_CLEARANCE, Parts
from .street import Street


@dataclass(frozen=True)
class Actor:
    """Annotated object, static or following the street at constant speed.

    Attributes:
        name: detection class.
        attribute: nuScenes attribute, '' for barrier and cone.
        parts: shape in the object frame.
        size: (3,) width, length, height of the annotated box, metres.
        s, d: street coordinates at time 0, metres.
        speed: metres/second along the centre line, negative against it.
        turn: heading relative to the street, radians.
    """

    name: str
    attribute: str
    parts: Parts
    size: np.ndarray
    s: float
    d: float
    speed: float
    turn: float


@dataclass(frozen=True)
class Boxes:
    """Annotated boxes of all A actors at one time, world frame.

    Attributes:
        centre: (A, 3) metres.
        size: (A, 3) width, length, height, metres.
        yaw: (A,) radians.
        velocity: (A, 2) metres/second.
    """

    centre: np.ndarray
    size: np.ndarray
    yaw: np.ndarray
    velocity: np.ndarray

    def take(self, index: np.ndarray) -> Boxes:
        """The boxes selected by an index or mask."""
        return Boxes(self.centre[index], self.size[index], self.yaw[index], self.velocity[index])

    def count_inside(self, points: np.ndarray) -> np.ndarray:
        """(A,) number of world ``points`` (N, 3) in each box, borders included."""
        lowest = (self.centre - self.size / 2)[:, 2].min(initial=np.inf)
        raised = points[points[:, 2] >= lowest]  # the others, two in three, are on the ground
        headings = np.stack([np.cos(self.yaw), np.sin(self.yaw)], 1)
        return points_in_boxes(raised, self.centre, self.size[:, [1, 0, 2]], headings).sum(1)


@dataclass(frozen=True)
class Scene:
    """Scene that can be rendered at any time.

    Attributes:
        street: street geometry.
        actors: annotated objects.
        scenery: static parts, world frame.
        ego_s, ego_d, ego_speed: motion of the ego vehicle in street coordinates.
        sun: (3,) unit vector to the sun.
    """

    street: Street
    actors: tuple[Actor, ...]
    scenery: Parts
    ego_s: float
    ego_d: float
    ego_speed: float
    sun: np.ndarray

    def ego2world(self, time: float) -> np.ndarray:
        """(4, 4) pose of the ego frame (rear axle on the ground, x forward, y left, z up)."""
        position, heading = self.street.pose(self.ego_s + self.ego_speed * time, self.ego_d)
        pose = np.eye(4)
        pose[:2, :2] = [[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]]
        pose[:2, 3] = position
        return pose

    @cached_property
    def _columns(self) -> tuple[np.ndarray, ...]:
        rows = [(a.s, a.d, a.speed, a.turn, *a.size) for a in self.actors]
        s, d, speed, turn, *size = np.array(rows, np.float64).T
        return s, d, speed, turn, np.stack(size, -1)

    def boxes(self, time: float) -> Boxes:
        """Annotated boxes at ``time`` seconds after the start."""
        s, d, speed, turn, size = self._columns
        s = s + speed * time
        position, heading = self.street.pose(s, d)
        pace = speed * (1 - self.street.curvature(s) * d)
        velocity = pace[:, None] * np.stack([np.cos(heading), np.sin(heading)], -1)
        bottom = GROUND_CLEARANCE - BOX_MARGIN
        centre = np.concatenate([position, bottom + size[:, 2:] / 2], -1)
        return Boxes(centre, size, heading + turn, velocity)

    @cached_property
    def _local_parts(self) -> Parts:
        return Parts.concatenate([a.parts.of_actor(k) for k, a in enumerate(self.actors)])

    def parts(self, time: float, near: np.ndarray, reach: float) -> Parts:
        """Parts within ``reach`` metres of the point ``near`` (2,), world frame."""
        boxes = self.boxes(time)
        actor = self._local_parts.actor
        origin = np.concatenate([boxes.centre[:, :2], np.zeros((len(self.actors), 1))], 1)
        moved = self._local_parts.placed(origin[actor], boxes.yaw[actor])
        everything = Parts.concatenate([moved, self.scenery])
        away = np.hypot(*(everything.centre[:, :2] - near).T) - everything.half.max(1)
        return everything.take(away < reach)

    def feet(self, time: float) -> Parts:
        """Footprints of the actors on the ground, as flat boxes."""
        boxes = self.boxes(time)
        count = len(self.actors)
        centre = boxes.centre * [1, 1, 0]
        width, length, _ = boxes.size.T / 2
        half = np.stack([length, width, np.full(count, 0.01)], -1)
        zeros, ones = np.zeros((count, 3)), np.ones(count)
        flat = Parts(
            ones,
            ones,
            ones,
            ones,
            centre * 0,
            np.broadcast_to(np.eye(3), (count, 3, 3)),
            half,
            ones,
            zeros,
            zeros,
        )
        return flat.placed(centre, boxes.yaw)
