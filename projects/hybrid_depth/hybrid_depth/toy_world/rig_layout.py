"""Own-vehicle layout: the toy world as four cameras of own names and two sizes, without LiDAR.

    rig.yaml                       description for `hybrid-depth rig import`
    drive_00/nose|left|right|tail/ images, named by their time in microseconds
    drive_00/poses.txt             poses of the vehicle (TUM)
    drive_00/boxes.csv             boxes of the classes `vehicle` and `person`, in the world

Cameras are mounted as on no other layout: heights of 0.9 to 1.6 m, side cameras that look down.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .camera import render_view
from .nuscenes_tables import annotated, yaw_quaternion
from .shapes import rotation_y, rotation_z
from .world import KEYFRAME_SECONDS, World

#: Own classes, by class of the toy world.
CLASSES = dict(
    car='vehicle', truck='vehicle', bus='vehicle', construction_vehicle='vehicle',
    trailer='vehicle', motorcycle='vehicle', pedestrian='person', bicycle='person',
)  # fmt: skip
_FIRST_SECOND = 1_600_000_000
_SCENE_GAP = 1000  # seconds
_SEEN = 0.1  # share of an object that the camera with the best view of it must see
_OPTICAL = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])  # camera axes in x ahead, y left, z up
_JPEG_QUALITY = 92


@dataclass(frozen=True)
class RigSensor:
    """Camera of the vehicle.

    Attributes:
        position: (3,) in the vehicle's frame, metres.
        pitch, yaw: degrees, downwards and to the left.
        angle: horizontal angle of view, degrees.
        scale: size of the images, relative to the world's.
        delay: exposure after the key frame, seconds.
    """

    position: tuple[float, float, float]
    pitch: float
    yaw: float
    angle: float
    scale: float
    delay: float

    def size(self, world: World) -> tuple[int, int]:
        """Width and height of the images, multiples of 8."""
        return tuple(max(32, round(side * self.scale / 8) * 8) for side in world.size)

    def cam2img(self, world: World) -> np.ndarray:
        """(3, 3) intrinsics; integer coordinates are pixel centres."""
        width, height = self.size(world)
        focal = width / 2 / np.tan(np.radians(self.angle / 2))
        return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])

    def cam2ego(self) -> np.ndarray:
        """(4, 4) camera to vehicle."""
        pose = np.eye(4)
        turn = rotation_z(np.radians(self.yaw)) @ rotation_y(float(np.radians(self.pitch)))
        pose[:3, :3], pose[:3, 3] = turn @ _OPTICAL, self.position
        return pose


SENSORS = dict(
    nose=RigSensor((2.1, 0.1, 0.9), 0.0, 0.0, 75.0, 1.0, 0.0),
    left=RigSensor((1.0, 0.9, 1.2), 6.0, 80.0, 105.0, 0.75, 0.011),
    right=RigSensor((1.0, -0.9, 1.2), 6.0, -80.0, 105.0, 0.75, 0.023),
    tail=RigSensor((-0.8, 0.0, 1.6), 4.0, 180.0, 95.0, 1.0, 0.035),
)


class RigLayout:
    """One task per keyframe: four cameras."""

    default_size = (320, 192)
    frames_per_keyframe = 1

    @staticmethod
    def check(world: World) -> None:
        """Every world can be written."""

    @staticmethod
    def render(root: Path, world: World, index: int, frame: int) -> np.ndarray:
        """Writes one keyframe; returns (A,) the largest visible share of every actor."""
        scene, seen = world.scene(index), 0.0
        for name, sensor in SENSORS.items():
            time = frame * KEYFRAME_SECONDS + sensor.delay
            view = (scene.ego2world(time) @ sensor.cam2ego(), sensor.cam2img(world))
            rendered = render_view(scene, *view, sensor.size(world), time)
            path = root / drive(index) / name / f'{_microseconds(index, time)}.jpg'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rendered.image).save(path, quality=_JPEG_QUALITY)
            seen = np.maximum(seen, rendered.visible / np.maximum(rendered.covered, 1))
        return seen

    @staticmethod
    def finish(root: Path, world: World, results: list[list]) -> None:
        """Writes poses, boxes and the description."""
        for index, frames in enumerate(results):
            (root / drive(index) / 'poses.txt').write_text(_poses(world, index))
            (root / drive(index) / 'boxes.csv').write_text(_boxes(world, index, frames))
        (root / 'rig.yaml').write_text(description(world))


def drive(index: int) -> str:
    """Folder of a scene below the root."""
    return f'drive_{index:02d}'


def description(world: World) -> str:
    """Text of rig.yaml."""
    held_out = [drive(index) for index in range(world.training_scenes, world.scenes)]
    lines = [
        '# x forward, y left, z up, metres and degrees; the ground below the vehicle is at z = 0',
        'drives: [drive_*]',
        f'val: [{", ".join(held_out)}]',
        'times: us  # file names are times in microseconds',
        'poses: {file: poses.txt, format: tum}',
        'boxes: {file: boxes.csv, frame: world}',
        'classes: {vehicle: 50, person: 40}  # with the largest distance that is evaluated',
        'cameras:',
    ]
    for name, sensor in SENSORS.items():
        matrix = sensor.cam2img(world)
        angles = (0, sensor.pitch, sensor.yaw)
        numbers = [matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]]
        lines += [
            f'  {name}:',
            f'    {{files: {name}/*.jpg, matrix: {_flow(numbers)}, axes: ros,',
            f'     position: {_flow(sensor.position)}, rpy: {_flow(angles)}}}',
        ]
    return '\n'.join(lines) + '\n'


def _flow(numbers: object) -> str:
    return f'[{", ".join(f"{float(value):.10g}" for value in numbers)}]'


def _microseconds(index: int, time: float) -> int:
    return (_FIRST_SECOND + index * _SCENE_GAP) * 1_000_000 + round(time * 1e6)


def _poses(world: World, index: int) -> str:
    """TUM lines of the scene at 20 Hz."""
    scene, rows = world.scene(index), []
    for step in range(int(world.keyframes * KEYFRAME_SECONDS * 20) + 2):
        time = step / 20
        pose = scene.ego2world(time)
        w, x, y, z = yaw_quaternion(np.arctan2(pose[1, 0], pose[0, 0]))
        stamp = _microseconds(index, time) / 1e6
        numbers = ' '.join(f'{value:.9f}' for value in (*pose[:3, 3], x, y, z, w))
        rows.append(f'{stamp:.6f} {numbers}\n')
    return ''.join(rows)


def _boxes(world: World, index: int, frames: list[np.ndarray]) -> str:
    """CSV of the boxes that a camera sees."""
    scene, text = world.scene(index), io.StringIO()
    rows = csv.writer(text, lineterminator='\n')
    rows.writerow('time class x y z length width height yaw vx vy track'.split())
    for frame, seen in enumerate(frames):
        time = frame * KEYFRAME_SECONDS
        boxes = scene.boxes(time)
        for k in np.flatnonzero(annotated(scene, frame) & (seen > _SEEN)):
            name = CLASSES.get(scene.actors[k].name)
            if name is None:
                continue
            width, length, height = boxes.size[k]
            yaw = np.arctan2(np.sin(boxes.yaw[k]), np.cos(boxes.yaw[k]))
            numbers = (*boxes.centre[k], length, width, height, yaw, *boxes.velocity[k])
            stamp = f'{_microseconds(index, time) / 1e6:.6f}'
            rows.writerow([stamp, name, *(f'{value:.6f}' for value in numbers), k])
    return text.getvalue()
