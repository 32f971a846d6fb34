"""The thirteen tables of a nuScenes root.

Schema: github.com/nutonomy/nuscenes-devkit, docs/schema_nuscenes.md.
"""

from __future__ import annotations

import hashlib

import numpy as np

from . import rig
from .scene import Boxes, Scene
from .world import KEYFRAME_SECONDS, World

#: The devkit's ``mini_train`` and ``mini_val`` scene names.
MINI_TRAIN = (
    'scene-0061',
    'scene-0553',
    'scene-0655',
    'scene-0757',
    'scene-0796',
    'scene-1077',
    'scene-1094',
    'scene-1100',
)
MINI_VAL = ('scene-0103', 'scene-0916')

CATEGORIES = {
    'car': 'vehicle.car',
    'truck': 'vehicle.truck',
    'construction_vehicle': 'vehicle.construction',
    'bus': 'vehicle.bus.rigid',
    'trailer': 'vehicle.trailer',
    'barrier': 'movable_object.barrier',
    'motorcycle': 'vehicle.motorcycle',
    'bicycle': 'vehicle.bicycle',
    'pedestrian': 'human.pedestrian.adult',
    'traffic_cone': 'movable_object.trafficcone',
}
ATTRIBUTES = (
    'vehicle.moving',
    'vehicle.stopped',
    'vehicle.parked',
    'cycle.with_rider',
    'cycle.without_rider',
    'pedestrian.sitting_lying_down',
    'pedestrian.standing',
    'pedestrian.moving',
)
#: Lower bounds of the visible share for visibility tokens 1 to 4.
VISIBILITY_LEVELS = {'v0-40': 0.0, 'v40-60': 0.4, 'v60-80': 0.6, 'v80-100': 0.8}
#: Range of annotations around the ego vehicle, metres.
ANNOTATION_RANGE = 65.0
_FIRST_TIMESTAMP = 1532402927647951
_SCENE_GAP = 10**9


def token(*key: object) -> str:
    """A 32-digit token that depends on ``key`` only."""
    return hashlib.md5('/'.join(map(str, key)).encode()).hexdigest()


def yaw_quaternion(yaw: float) -> list[float]:
    """Quaternion (w, x, y, z) of a rotation about z."""
    return [float(np.cos(yaw / 2)), 0.0, 0.0, float(np.sin(yaw / 2))]


def timestamp(scene_index: int, frame: int, delay: int = 0) -> int:
    """Time stamp of a sensor reading in microseconds."""
    return (
        _FIRST_TIMESTAMP + scene_index * _SCENE_GAP + round(frame * KEYFRAME_SECONDS * 1e6) + delay
    )


def scene_names(world: World) -> tuple[str, ...]:
    """Scene names: the first of ``mini_train``; for held-out scenes the first of ``mini_val``."""
    held_out = world.scenes - world.training_scenes
    return MINI_TRAIN[: world.training_scenes] + MINI_VAL[:held_out]


def sweep_times(sweeps: int) -> list[int]:
    """Microseconds after a keyframe of the keyframe (0) and of the images until the next."""
    return [round(k * KEYFRAME_SECONDS * 1e6 / (sweeps + 1)) for k in range(sweeps + 1)]


def file_name(name: str, channel: str, stamp: int, keyframe: bool = True) -> str:
    """Path of a reading below the root."""
    ending = 'pcd.bin' if channel == rig.LIDAR.channel else 'jpg'
    folder = 'samples' if keyframe else 'sweeps'
    return f'{folder}/{channel}/toy-{name}__{channel}__{stamp}.{ending}'


def shared_tables(world: World) -> dict[str, list[dict]]:
    """Tables independent of the scenes.

    Args:
        world: its image size, which the intrinsics are scaled to, and its rig.
    """
    sensors = (rig.LIDAR, *rig.cameras(world.rig))
    return {
        'attribute': [
            dict(token=token('attribute', a), name=a, description='') for a in ATTRIBUTES
        ],
        'category': [
            dict(token=token('category', c), name=c, description='') for c in CATEGORIES.values()
        ],
        'visibility': [
            dict(
                token=str(k), level=level, description=f'visible share of the object: {level[1:]} %'
            )
            for k, level in enumerate(VISIBILITY_LEVELS, 1)
        ],
        'sensor': [
            dict(
                token=token('sensor', s.channel),
                channel=s.channel,
                modality='camera' if s.focal else 'lidar',
            )
            for s in sensors
        ],
        'calibrated_sensor': [
            dict(
                token=token('calibrated_sensor', s.channel),
                sensor_token=token('sensor', s.channel),
                translation=list(s.translation),
                rotation=list(s.rotation),
                camera_intrinsic=s.cam2img(world.size).tolist() if s.focal else [],
            )
            for s in sensors
        ],
    }


class SceneTables:
    """Table rows of one scene.

    Args:
        world: parameters; the seed is part of every token.
        index: index of the scene.
        name: nuScenes name of the scene.
        scene: the scene.
        counts: per keyframe, LiDAR points (A,) and visible share (A,) of every actor.
    """

    def __init__(
        self,
        world: World,
        index: int,
        name: str,
        scene: Scene,
        counts: list[tuple[np.ndarray, np.ndarray]],
    ) -> None:
        self._world, self._index, self._name = world, index, name
        self._scene, self._counts = scene, counts
        self._frames = range(len(counts))

    def _token(self, table: str, *key: object) -> str:
        return token(self._world.seed, self._name, table, *key)

    def _link(self, table: str, frame: int, *key: object) -> str:
        """Token of a neighbour in time, '' if there is none."""
        return self._token(table, frame, *key) if frame in self._frames else ''

    def tables(self) -> dict[str, list[dict]]:
        """All rows, by table name."""
        data = [
            self._reading(chain, place, sensor)
            for sensor in (rig.LIDAR, *rig.CAMERAS)
            for chain in [self._chain(sensor)]
            for place in range(len(chain))
        ]
        instances, annotations = self._annotations()
        return {
            'log': [self._log()],
            'map': [self._map()],
            'scene': [self._scene_row()],
            'sample': [self._sample(frame) for frame in self._frames],
            'sample_data': [row for row, _ in data],
            'ego_pose': [pose for _, pose in data],
            'instance': instances,
            'sample_annotation': annotations,
        }

    def _log(self) -> dict:
        return dict(
            token=self._token('log'),
            logfile=f'toy-{self._name}',
            vehicle='toy',
            date_captured='2018-07-24',
            location='toy-town',
        )

    def _map(self) -> dict:
        name = self._token('map')
        return dict(
            token=name,
            category='semantic_prior',
            filename=f'maps/{name}.png',
            log_tokens=[self._token('log')],
        )

    @property
    def map_file(self) -> str:
        """Path of the map below the root."""
        return self._map()['filename']

    def _scene_row(self) -> dict:
        return dict(
            token=self._token('scene'),
            log_token=self._token('log'),
            nbr_samples=len(self._frames),
            first_sample_token=self._token('sample', self._frames[0]),
            last_sample_token=self._token('sample', self._frames[-1]),
            name=self._name,
            description='Toy world: street with bends, parked vehicles, works, traffic, people',
        )

    def _sample(self, frame: int) -> dict:
        return dict(
            token=self._token('sample', frame),
            timestamp=timestamp(self._index, frame),
            prev=self._link('sample', frame - 1),
            next=self._link('sample', frame + 1),
            scene_token=self._token('scene'),
        )

    def _chain(self, sensor: rig.Sensor) -> list[tuple[int, int]]:
        """Keyframe and microseconds after it of every reading, in order of time."""
        times = sweep_times(self._world.sweeps) if sensor.focal else [0]
        last = self._frames[-1]
        return [(frame, t) for frame in self._frames for t in times if frame < last or t == 0]

    def _reading(
        self, chain: list[tuple[int, int]], place: int, sensor: rig.Sensor
    ) -> tuple[dict, dict]:
        """Rows of ``sample_data`` and ``ego_pose`` of one reading."""
        (frame, after), channel = chain[place], sensor.channel
        delay, keyframe = after + sensor.delay, after == 0
        stamp = timestamp(self._index, frame, delay)
        ego = self._scene.ego2world(frame * KEYFRAME_SECONDS + delay * 1e-6)
        pose = dict(
            token=self._reading_token('ego_pose', *chain[place], channel),
            timestamp=stamp,
            rotation=yaw_quaternion(np.arctan2(ego[1, 0], ego[0, 0])),
            translation=ego[:3, 3].tolist(),
        )
        width, height = self._world.size if sensor.focal else (0, 0)
        around = [
            self._reading_token('sample_data', *chain[i], channel) if 0 <= i < len(chain) else ''
            for i in (place - 1, place, place + 1)
        ]
        row = dict(
            token=around[1],
            sample_token=self._token('sample', frame),
            ego_pose_token=pose['token'],
            calibrated_sensor_token=token('calibrated_sensor', channel),
            timestamp=stamp,
            fileformat='jpg' if sensor.focal else 'pcd',
            is_key_frame=keyframe,
            height=height,
            width=width,
            filename=file_name(self._name, channel, stamp, keyframe),
            prev=around[0],
            next=around[2],
        )
        return row, pose

    def _reading_token(self, table: str, frame: int, after: int, channel: str) -> str:
        return self._token(table, frame, *([after] if after else []), channel)

    def _annotations(self) -> tuple[list[dict], list[dict]]:
        """Rows of ``instance`` and ``sample_annotation``, linked through time."""
        near = [annotated(self._scene, frame) for frame in self._frames]
        boxes = [self._scene.boxes(frame * KEYFRAME_SECONDS) for frame in self._frames]
        instances, annotations = [], []
        for k, actor in enumerate(self._scene.actors):
            frames = [frame for frame in self._frames if near[frame][k]]
            if not any(self._counts[frame][0][k] for frame in frames):
                continue  # no LiDAR points in any keyframe
            tokens = [self._token('sample_annotation', frame, k) for frame in frames]
            instances.append(
                dict(
                    token=self._token('instance', k),
                    category_token=token('category', CATEGORIES[actor.name]),
                    nbr_annotations=len(frames),
                    first_annotation_token=tokens[0],
                    last_annotation_token=tokens[-1],
                )
            )
            chain = ['', *tokens, '']
            for n, frame in enumerate(frames):
                links = dict(token=tokens[n], prev=chain[n], next=chain[n + 2])
                annotations.append(links | self._annotation(boxes[frame], frame, k))
        return instances, annotations

    def _annotation(self, boxes: Boxes, frame: int, k: int) -> dict:
        actor = self._scene.actors[k]
        points, visible = (column[k] for column in self._counts[frame])
        return dict(
            sample_token=self._token('sample', frame),
            instance_token=self._token('instance', k),
            visibility_token=str(sum(visible >= bound for bound in VISIBILITY_LEVELS.values())),
            attribute_tokens=[token('attribute', actor.attribute)] if actor.attribute else [],
            translation=boxes.centre[k].tolist(),
            size=boxes.size[k].tolist(),
            rotation=yaw_quaternion(boxes.yaw[k]),
            num_lidar_pts=int(points),
            num_radar_pts=0,
        )


def annotated(scene: Scene, frame: int) -> np.ndarray:
    """(A,) which actors are annotated in a keyframe: those within ``ANNOTATION_RANGE``."""
    time = frame * KEYFRAME_SECONDS
    offset = scene.boxes(time).centre[:, :2] - scene.ego2world(time)[:2, 3]
    return np.hypot(*offset.T) < ANNOTATION_RANGE
