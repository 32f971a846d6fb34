"""DDAD: video of a surround rig with long-range LiDAR."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.registry import DATASETS

from ...errors import DepthDataError
from ..video.frame_triplets import FrameId, FrameTripletDataset
from .scenes import Clip, read_clips

#: Front, left, right, rear: docs/reference/ddad.md, "Cameras".
FOUR_VIEWS = ('CAMERA_01', 'CAMERA_05', 'CAMERA_06', 'CAMERA_09')


class DDADFrame(NamedTuple):
    """Image of one camera in one scene: `Clip.folder`, and the place in the clip."""

    clip: str
    index: int


@DATASETS.register_module()
class DDADDataset(FrameTripletDataset):
    """Frames of DDAD (arXiv 1905.02693), or of any scenes in its DGP format, with LiDAR depth.

    Files are JSON, images, and numpy arrays of numbers. A sample has `cam2img`, `cam2ego` (4, 4),
    and `lidar` (path, and lidar2cam (4, 4) between the times of both sensors), which
    `LoadLidarDepthMap` projects. `meta`: dataset, name (unique), folder (scene and camera), frame,
    side (the camera).

    Args:
        data_root: folder of the scenes.
        scene_dataset: JSON of the splits, below data_root.
        split: 'train', 'val', 'test' or 'train_overfit'.
        cameras: names of cameras; see `FOUR_VIEWS`.
        ego_motion: add the neighbours' `transforms` from the poses, in metres (identity for
            substituted neighbours).
        kwargs: see `FrameTripletDataset` and mmengine's `BaseDataset`.

    Raises:
        FileNotFoundError: a JSON file or an image is missing.
        DepthDataError: an unknown split or camera, or a file of another format.
    """

    METAINFO = dict(dataset='ddad')

    def __init__(
        self,
        data_root: str,
        scene_dataset: str = 'ddad.json',
        split: str = 'train',
        cameras: Sequence[str] = FOUR_VIEWS,
        frame_ids: Sequence[FrameId] = (0,),
        ego_motion: bool = False,
        **kwargs: Any,
    ):
        self.ego_motion = ego_motion
        clips = read_clips(Path(data_root), scene_dataset, split, cameras)
        self._clips: dict[str, Clip] = {clip.folder: clip for clip in clips}
        super().__init__(data_root=data_root, frame_ids=frame_ids, **kwargs)

    def list_frames(self) -> list[DDADFrame]:
        return [
            DDADFrame(folder, index)
            for folder, clip in self._clips.items()
            for index in range(len(clip.views))
        ]

    def find(self, frame: DDADFrame, frame_id: FrameId) -> Path | None:
        if frame_id == 's':
            raise DepthDataError("DDAD has no stereo pairs; take 's' out of frame_ids")
        views, index = self._clips[frame.clip].views, frame.index + frame_id
        if not 0 <= index < len(views):
            return None
        path = Path(self.data_root, views[index].image)
        return path if path.is_file() else None

    def describe(self, frame: DDADFrame) -> dict:
        clip = self._clips[frame.clip]
        view = clip.views[frame.index]
        name = f'{clip.scene}_{clip.camera}_{Path(view.image).stem}'.replace('/', '_')
        sample: dict[str, Any] = dict(
            cam2img=clip.cam2img.copy(),
            cam2ego=clip.cam2ego.copy(),
            meta=dict(
                dataset='ddad', name=name, folder=clip.folder, frame=frame.index, side=clip.camera
            ),
        )
        world2cam = np.linalg.inv(view.sensor2world)
        if view.lidar:
            path = str(Path(self.data_root, view.lidar))
            sample['lidar'] = dict(path=path, lidar2cam=world2cam @ view.lidar2world)
        if self.ego_motion:
            sample['transforms'] = {
                i: self._transform(clip, frame.index, i) for i in self.frame_ids if i != 0
            }
        return sample

    @staticmethod
    def _transform(clip: Clip, index: int, frame_id: int) -> np.ndarray:
        """Camera's frame now to its frame in a neighbour."""
        if not 0 <= index + frame_id < len(clip.views):
            return np.eye(4)
        then, now = clip.views[index + frame_id], clip.views[index]
        return np.linalg.inv(then.sensor2world) @ now.sensor2world
