"""The real nuScenes key frame as the files of an own vehicle: images, poses, boxes and sweep.

Optionally with images as other lenses would have taken them.
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from hybrid_depth.datasets.poses import quaternion_to_matrix
from hybrid_depth.rigs.lens import Lens
from tests.rigs.distortion import distorted

#: Lenses of the six cameras, as strong as those of real ones.
LENSES = dict(
    CAM_FRONT=Lens('radial', (-0.28, 0.07, 0.001, -0.0007, 0.0)),
    CAM_FRONT_LEFT=Lens('fisheye', (-0.03, 0.01, -0.004, 0.001)),
    CAM_FRONT_RIGHT=Lens('radial', (0.1, 0.03, -0.001, 0.002)),
    CAM_BACK=Lens('fisheye', (0.05, -0.01, 0.002, 0.0)),
    CAM_BACK_LEFT=Lens('radial', (0.3, 0.1, 0.001, 0.0, 0.01, 0.5, 0.15, 0.02)),
    CAM_BACK_RIGHT=Lens('fisheye', (-0.01, 0.002, 0.0, 0.0)),
)
_HEAD = """\
times: us
poses: poses.txt
boxes: {file: boxes.csv, frame: world}
classes: {car: 50, pedestrian: 40, barrier: 30}
"""


def write_vehicle(nuscenes: Path, out: Path, lenses: Mapping[str, Lens] = {}) -> Path:
    """Write rig.yaml and the files that it names.

    Args:
        nuscenes: root of the key frame's tables.
        out: folder.
        lenses: of cameras whose images are to be distorted.

    Returns:
        rig.yaml.
    """
    tables = {path.stem: _rows(path) for path in (nuscenes / 'v1.0-mini').glob('*.json')}
    sensors, poses = {}, {}
    for data in tables['sample_data'].values():
        mounting = tables['calibrated_sensor'][data['calibrated_sensor_token']]
        name = tables['sensor'][mounting['sensor_token']]['channel']
        poses[data['timestamp']] = tables['ego_pose'][data['ego_pose_token']]
        (out / name).mkdir(parents=True)
        source = nuscenes / data['filename']
        spec = dict(files=f'{name}/*{source.suffix}')
        if name == 'LIDAR_TOP':
            spec['columns'] = 5
        else:
            matrix = np.array(mounting['camera_intrinsic'])
        if name in lenses:
            image, matrix = distorted(np.asarray(Image.open(source)), matrix, lenses[name])
            spec['files'] = f'{name}/*.png'
            Image.fromarray(image).save((out / name / source.name).with_suffix('.png'))
            spec['distortion'] = f'{{{lenses[name].model}: {list(lenses[name].coefficients)}}}'
        else:
            (out / name / source.name).symlink_to(source.resolve())
        if name != 'LIDAR_TOP':
            spec['matrix'] = [*np.diag(matrix)[:2].tolist(), *matrix[:2, 2].tolist()]
        sensors[name] = _flow(spec, mounting)
    text = _HEAD + f'lidar:\n{sensors.pop("LIDAR_TOP")}cameras:\n'
    text += ''.join(f'  {name}:\n{lines}' for name, lines in sensors.items())
    (out / 'rig.yaml').write_text(text)
    (out / 'poses.txt').write_text(
        ''.join(_tum(time, poses[time]) for time in sorted(poses)),
    )
    _write_boxes(out / 'boxes.csv', tables)
    return out / 'rig.yaml'


def _rows(path: Path) -> dict[str, dict]:
    return {row['token']: row for row in json.loads(path.read_text())}


def _flow(spec: dict, mounting: dict) -> str:
    pose = f'position: {mounting["translation"]}, quaternion: {mounting["rotation"]}'
    return f'    {{{", ".join(f"{key}: {value}" for key, value in spec.items())},\n     {pose}}}\n'


def _tum(time: int, pose: dict) -> str:
    w, *xyz = pose['rotation']
    return ' '.join(map(str, (time / 1e6, *pose['translation'], *xyz, w))) + '\n'


def _write_boxes(path: Path, tables: dict) -> None:
    (sample,) = tables['sample'].values()
    with open(path, 'w', newline='') as file:
        rows = csv.writer(file)
        rows.writerow('time class x y z length width height yaw points'.split())
        for box in tables['sample_annotation'].values():
            instance = tables['instance'][box['instance_token']]
            name = tables['category'][instance['category_token']]['name'].split('.')[1]
            ahead = quaternion_to_matrix(np.array(box['rotation']))[:, 0]
            width, length, height = box['size']
            size = (length, width, height)
            yaw = np.arctan2(ahead[1], ahead[0])
            time = sample['timestamp'] / 1e6
            rows.writerow([time, name, *box['translation'], *size, yaw, box['num_lidar_pts']])
