"""nuScenes cameras as video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from mmengine.registry import DATASETS

from ...calibration_checks import check_camera
from ...errors import DepthDataError
from ..video.clips import are_missing_between, in_steps
from ..video.frame_triplets import FrameId, FrameTripletDataset
from .names import CAMERAS

if TYPE_CHECKING:  # the devkit takes a second to import; most depth models do not use it
    from nuscenes import NuScenes


class CameraFrame(NamedTuple):
    """Image of one camera in one scene: clip folder and image index in the clip."""

    clip: str
    index: int


@DATASETS.register_module()
class NuScenesVideoDataset(FrameTripletDataset):
    """Frames of nuScenes cameras, keyframes and sweeps, with their neighbours in time.

    A clip has the images of one camera in one scene, in order of time (12 Hz); images that are not
    on disk are left out, so a root without `sweeps/` gives keyframes (2 Hz). Where images are
    missing beyond that, there are no neighbours. Intrinsics are per
    camera, in pixels of the original image. `meta` of a sample: dataset, name (unique), folder
    (scene and camera), frame.

    Args:
        data_root: nuScenes root.
        version: version of the tables.
        split: split of the devkit ('train', 'mini_train', ...); None for all scenes.
        cameras: camera channels.
        targets: images used as frame 0: 'all' or 'keyframes'.
        frame_step: distance to the neighbours, in images.
        ego_motion: add the neighbours' `transforms` from the ego poses, in metres (identity for
            substituted neighbours).
        kwargs: see `FrameTripletDataset` and mmengine's `BaseDataset`.

    Raises:
        FileNotFoundError: no such tables.
        DepthDataError: an unknown split, or none of its images is on disk.
    """

    METAINFO = dict(dataset='nuscenes')

    def __init__(
        self,
        data_root: str,
        version: str = 'v1.0-trainval',
        split: str | None = None,
        cameras: Sequence[str] = CAMERAS,
        targets: str = 'all',
        frame_step: int = 1,
        ego_motion: bool = False,
        **kwargs: Any,
    ):
        if targets not in ('all', 'keyframes') or frame_step < 1:
            raise DepthDataError(
                "NuScenesVideoDataset: expected targets 'all' or 'keyframes' and a frame_step of "
                f'at least 1, got {targets!r} and {frame_step}'
            )
        self.targets, self.frame_step, self.ego_motion = targets, frame_step, ego_motion
        clips = _read_clips(Path(data_root), version, split, cameras, ego_motion)
        self._clips = {clip.folder: clip for clip in clips}
        super().__init__(data_root=data_root, **kwargs)

    def list_frames(self) -> list[CameraFrame]:
        return [
            CameraFrame(folder, index)
            for folder, clip in self._clips.items()
            for index, keyframe in enumerate(clip.keyframes)
            if keyframe or self.targets == 'all'
        ]

    def find(self, frame: CameraFrame, frame_id: FrameId) -> Path | None:
        if frame_id == 's':
            raise DepthDataError("nuScenes has no stereo pairs; take 's' out of frame_ids")
        index = self._place(frame, frame_id)
        return None if index is None else self._clips[frame.clip].images[index]

    def _place(self, frame: CameraFrame, frame_id: int) -> int | None:
        clip, index = self._clips[frame.clip], frame.index + frame_id * self.frame_step
        if not 0 <= index < len(clip.images) or are_missing_between(clip.steps, frame.index, index):
            return None
        return index

    def describe(self, frame: CameraFrame) -> dict:
        clip = self._clips[frame.clip]
        name = clip.images[frame.index].stem
        meta = dict(dataset='nuscenes', name=name, folder=clip.folder, frame=frame.index)
        return dict(cam2img=clip.cam2img.copy(), calibration_size=clip.size, meta=meta)

    def get_data_info(self, idx: int) -> dict:
        """A sample, with `transforms` if `ego_motion` is set."""
        info = super().get_data_info(idx)
        if self.ego_motion:
            frame = CameraFrame(info['meta']['folder'], info['meta']['frame'])
            info['transforms'] = {i: self._transform(frame, i) for i in self.frame_ids if i != 0}
        return info

    def _transform(self, frame: CameraFrame, frame_id: int) -> np.ndarray:
        index = self._place(frame, frame_id)
        if index is None:
            return np.eye(4)
        clip = self._clips[frame.clip]
        now, then = clip.poses[frame.index], clip.poses[index]
        global2cam = _matrix(clip.mounting, inverse=True) @ _matrix(then, inverse=True)
        return global2cam @ _matrix(now) @ _matrix(clip.mounting)


class _Clip(NamedTuple):
    folder: str
    cam2img: np.ndarray
    size: tuple[int, int]
    images: list[Path]
    keyframes: list[bool]
    steps: np.ndarray | None  # (frames,) places in the tables' sequence, see `in_steps`
    mounting: np.ndarray  # (7,) camera to vehicle, translation and quaternion
    poses: np.ndarray  # (frames, 7) vehicle to world, or (0, 7)


def _read_clips(
    root: Path, version: str, split: str | None, cameras: Sequence[str], with_poses: bool
) -> list[_Clip]:
    if not (root / version).is_dir():
        raise FileNotFoundError(
            f'expected the nuScenes tables in {root / version}, which does not exist'
        )
    from nuscenes.utils.splits import create_splits_scenes

    from .tables import CheckedNuScenes

    splits = create_splits_scenes()
    if split is not None and split not in splits:
        raise DepthDataError(f'expected a split among {", ".join(splits)}, got {split!r}')
    nusc = CheckedNuScenes(root, version)
    clips = [
        _read_clip(nusc, root, scene, camera, with_poses)
        for scene in nusc.scene
        if split is None or scene['name'] in splits[split]
        for camera in cameras
    ]
    clips = [clip for clip in clips if clip.images]
    if not clips:
        raise DepthDataError(
            f'{root}: expected images of {split or "any scene"}, got none on disk among the '
            f'{len(nusc.scene)} scenes of {version}'
        )
    return clips


def _read_clip(nusc: NuScenes, root: Path, scene: dict, camera: str, with_poses: bool) -> _Clip:
    """Clip of one camera in one scene, including the images before its first keyframe."""
    from .poses import rigid_matrix

    token = nusc.get('sample', scene['first_sample_token'])['data'][camera]
    first = nusc.get('sample_data', token)
    while first['prev']:
        first = nusc.get('sample_data', first['prev'])
    calibration = nusc.get('calibrated_sensor', first['calibrated_sensor_token'])
    images, keyframes, places, poses, row, place = [], [], [], [], first, 0
    while row is not None:
        path = root / row['filename']
        if path.is_file():
            images.append(path)
            keyframes.append(row['is_key_frame'])
            places.append(place)
            if with_poses:
                pose = nusc.get('ego_pose', row['ego_pose_token'])
                rigid_matrix(pose, f'{nusc.version}/ego_pose.json, {pose["token"]}')
                poses.append([*pose['translation'], *pose['rotation']])
        row = nusc.get('sample_data', row['next']) if row['next'] else None
        place += 1
    source = f'{nusc.version}/calibrated_sensor.json, {calibration["token"]}, of {camera}'
    size = (first['width'], first['height'])
    cam2img = check_camera(calibration['camera_intrinsic'], source, size)
    rigid_matrix(calibration, source)
    mounting = np.array([*calibration['translation'], *calibration['rotation']])
    folder = f'{scene["name"]}/{camera}'
    steps, poses = in_steps(places), np.reshape(poses, (-1, 7))
    return _Clip(folder, cam2img, size, images, keyframes, steps, mounting, poses)


def _matrix(pose: np.ndarray, inverse: bool = False) -> np.ndarray:
    from nuscenes.utils.geometry_utils import transform_matrix
    from pyquaternion import Quaternion

    return transform_matrix(pose[:3], Quaternion(pose[3:]), inverse)
