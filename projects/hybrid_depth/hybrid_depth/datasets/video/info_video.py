"""Cameras of an info file as video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.registry import DATASETS

from ...errors import DepthDataError
from ...files import file_name
from ..calibrated_frames import Clip, info_clips
from ..image_files import image_size
from .clips import are_missing_between, in_steps
from .frame_triplets import FrameId, FrameTripletDataset


class InfoFrame(NamedTuple):
    """Image of one camera in one drive: key of the clip, and index in it."""

    clip: tuple[str, str]
    index: int


@DATASETS.register_module()
class InfoVideoDataset(FrameTripletDataset):
    """Samples of an info file as video, a clip for each camera in each drive.

    For own vehicles: `hybrid-depth rig import` writes `rig_infos_video.pkl` if its description says
    `video`. Where samples are missing, by their times, there are no neighbours. `meta` of a sample:
    dataset, name (unique), folder (drive and camera), frame.

    Args:
        data_root: folder of the data.
        ann_file: info file below it.
        cameras: their names; None for all.
        frame_step: distance to the neighbours, in samples.
        ego_motion: add the neighbours' `transforms` from the vehicle's poses, in metres (identity
            for substituted neighbours).
        kwargs: see `FrameTripletDataset` and mmengine's `BaseDataset`.

    Raises:
        FileNotFoundError: no such info file.
        DepthDataError: no such camera, or `ego_motion` without poses.
    """

    METAINFO = dict(dataset='info_video')

    def __init__(
        self,
        data_root: str,
        ann_file: str,
        cameras: Sequence[str] | None = None,
        frame_step: int = 1,
        ego_motion: bool = False,
        **kwargs: Any,
    ):
        if frame_step < 1:
            raise DepthDataError(f'expected frame_step of at least 1, got {frame_step}')
        self.frame_step, self.ego_motion = frame_step, ego_motion
        infos = Path(data_root, ann_file)
        clips = info_clips(infos, data_root)
        self._clips = {key: x for key, x in clips.items() if cameras is None or key[1] in cameras}
        if cameras is not None:
            known = dict.fromkeys(camera for _, camera in clips)
            absent = [name for name in cameras if name not in known]
            if absent:
                raise DepthDataError(
                    f'{infos}: expected cameras among {", ".join(known)}, got {", ".join(absent)}'
                )
        self._steps = {key: _steps(clip) for key, clip in self._clips.items()}
        self._sizes = {key: image_size(clip[0].image) for key, clip in self._clips.items()}
        if ego_motion and any(frame.pose is None for x in self._clips.values() for frame in x):
            raise DepthDataError(
                f'{infos}: expected poses of the vehicle for ego_motion, got none; add poses: to '
                'the description and import again, or estimate the motion: ego_motion=False in the '
                'data set and a pose_net in the model'
            )
        super().__init__(data_root=data_root, **kwargs)

    def list_frames(self) -> list[InfoFrame]:
        return [InfoFrame(key, i) for key, clip in self._clips.items() for i in range(len(clip))]

    def find(self, frame: InfoFrame, frame_id: FrameId) -> Path | None:
        if frame_id == 's':
            raise DepthDataError("an info file has no stereo pairs; take 's' out of frame_ids")
        index = self._place(frame, frame_id)
        return None if index is None else self._clips[frame.clip][index].image

    def _place(self, frame: InfoFrame, frame_id: int) -> int | None:
        index = frame.index + frame_id * self.frame_step
        if not 0 <= index < len(self._clips[frame.clip]):
            return None
        missing = are_missing_between(self._steps[frame.clip], frame.index, index)
        return None if missing else index

    def describe(self, frame: InfoFrame) -> dict:
        drive, camera = (file_name(part) for part in frame.clip)
        found = self._clips[frame.clip][frame.index]
        name = f'{drive}_{camera}_{found.image.stem}'
        meta = dict(dataset='info_video', name=name, folder=f'{drive}/{camera}', frame=frame.index)
        sample = dict(
            cam2img=found.cam2img.copy(), calibration_size=self._sizes[frame.clip], meta=meta
        )
        if self.ego_motion:
            ids = [i for i in self.frame_ids if i != 0]
            sample['transforms'] = {i: self._transform(frame, i) for i in ids}
        return sample

    def _transform(self, frame: InfoFrame, frame_id: int) -> np.ndarray:
        index = self._place(frame, frame_id)
        if index is None:
            return np.eye(4)
        clip = self._clips[frame.clip]
        return np.linalg.inv(clip[index].pose) @ clip[frame.index].pose


def _steps(clip: Clip) -> np.ndarray | None:
    return in_steps([round(frame.time * 1e6) for frame in clip])
