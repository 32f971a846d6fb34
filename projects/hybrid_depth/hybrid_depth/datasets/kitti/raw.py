"""KITTI raw drives and odometry sequences as frame triplets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.registry import DATASETS

from ...errors import DepthDataError
from ..video.frame_triplets import FrameId, FrameTripletDataset
from .calibration import MONODEPTH2_INTRINSICS
from .splits import KittiFrame, read_split
from .tree import KittiOdometryTree, KittiRawTree

_INTRINSICS = ('calibrated', 'monodepth2')


@DATASETS.register_module()
class KittiRawDataset(FrameTripletDataset):
    """Frames of KITTI raw with neighbours in time and in the other camera.

    Images may be PNG or JPEG (docs/reference/kitti.md, "Image files"). `meta` of a sample: dataset,
    name (unique, that of its ground truth file), folder, frame, side, img_path.

    Args:
        data_root: folder of the days.
        split: a list of frames: 'eigen', 'all' or a file (see `read_split`).
        intrinsics: 'calibrated' for the matrix of the recording day, 'monodepth2' for that of the
            release (0.58, 1.92, 0.5, 0.5), or fx, fy, cx, cy relative to the image size.
        stereo_baseline: distance of the cameras; None for the calibrated 0.53 m. The releases use
            0.1 and multiply depths by 5.4 (docs/reference/monodepth2.md, "Training").
        image_format: 'png' or 'jpg'; None detects it.
        kwargs: see `FrameTripletDataset` and mmengine's `BaseDataset`.

    Raises:
        FileNotFoundError: root, list or frames of the list do not exist.
        DepthDataError: see `FrameTripletDataset`; also unknown intrinsics.
    """

    METAINFO = dict(dataset='kitti_raw')

    def __init__(
        self,
        data_root: str,
        split: str,
        intrinsics: str | Sequence[float] = 'calibrated',
        stereo_baseline: float | None = None,
        image_format: str | None = None,
        **kwargs: Any,
    ):
        if isinstance(intrinsics, str) and intrinsics not in _INTRINSICS:
            raise DepthDataError(
                f'expected intrinsics {_INTRINSICS} or (fx, fy, cx, cy), got {intrinsics!r}'
            )
        self.split = split
        self.intrinsics = intrinsics
        self.stereo_baseline = stereo_baseline
        self.tree = self._open_tree(data_root, image_format)
        super().__init__(data_root=data_root, **kwargs)

    def _open_tree(self, data_root: str, image_format: str | None) -> KittiRawTree:
        return KittiRawTree(data_root, image_format)

    def list_frames(self) -> list[KittiFrame]:
        return read_split(self.split, self.data_root)

    def find(self, frame: KittiFrame, frame_id: FrameId) -> Path | None:
        if frame_id == 's':
            return self.tree.images(frame.folder, frame.other_side).get(frame.number)
        return self.tree.images(frame.folder, frame.side).get(frame.number + frame_id)

    def describe(self, frame: KittiFrame) -> dict:
        sample: dict[str, Any] = dict(
            meta=dict(
                dataset=self.metainfo['dataset'],
                name=frame.name,
                folder=frame.folder,
                frame=frame.number,
                side=frame.side,
            )
        )
        if self.intrinsics == 'calibrated':
            sample.update(self.tree.camera(frame))
        else:
            fixed = self.intrinsics == 'monodepth2'
            sample['relative_intrinsics'] = MONODEPTH2_INTRINSICS if fixed else self.intrinsics
        if 's' in self.frame_ids:
            transform = np.eye(4)
            transform[0, 3] = -self._stereo_offset(frame)
            sample['transforms'] = dict(s=transform)
        return sample

    def _stereo_offset(self, frame: KittiFrame) -> float:
        """Offset of the other camera, positive if it is to the right."""
        if self.stereo_baseline is None:
            return self.tree.baseline(frame)
        return self.stereo_baseline if frame.side == 'l' else -self.stereo_baseline


@DATASETS.register_module()
class KittiOdometryDataset(KittiRawDataset):
    """Frames of KITTI odometry sequences; a line of the list is `<sequence> <frame> <l|r>`.

    Args:
        cameras: numbers of the left and right camera: (2, 3) colour, (0, 1) grey.
        kwargs: see `KittiRawDataset`.
    """

    METAINFO = dict(dataset='kitti_odometry')

    def __init__(self, cameras: tuple[int, int] = (2, 3), **kwargs: Any):
        self.cameras = cameras
        super().__init__(**kwargs)

    def _open_tree(self, data_root: str, image_format: str | None) -> KittiOdometryTree:
        return KittiOdometryTree(data_root, image_format, tuple(self.cameras))
