"""KITTI images with annotated depth, for supervised depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log
from mmengine.registry import DATASETS

from ...errors import DepthDataError
from ..video.frame_triplets import FrameId
from .raw import KittiRawDataset
from .splits import KittiFrame
from .tree import annotated_depth_path


@DATASETS.register_module()
class KittiDepthDataset(KittiRawDataset):
    """Frames of KITTI raw with the annotated depth of the depth prediction benchmark.

    As `KittiRawDataset`, and `depth_paths` has `gt_depth`. Frames without annotated depth, such as
    the first and last five of each drive, are left out and counted
    (docs/reference/kitti.md, "Annotated depth").

    Args:
        split: see `read_split`: 'eigen_train' and 'eigen_benchmark' are the official lists of
            supervised depth.
        depth_root: folder of `train` and `val` of data_depth_annotated.zip; None for `data_root`.
        frame_ids: see `FrameTripletDataset`.
        kwargs: see `KittiRawDataset`.

    Raises:
        DepthDataError: no frame of the list has annotated depth.
    """

    METAINFO = dict(dataset='kitti_depth')

    def __init__(
        self,
        data_root: str,
        split: str,
        depth_root: str | None = None,
        frame_ids: Sequence[FrameId] = (0,),
        **kwargs: Any,
    ):
        self.depth_root = data_root if depth_root is None else depth_root
        super().__init__(data_root=data_root, split=split, frame_ids=frame_ids, **kwargs)

    def list_frames(self) -> list[KittiFrame]:
        frames = super().list_frames()
        kept = [frame for frame in frames if annotated_depth_path(self.depth_root, frame)]
        if not kept:
            raise DepthDataError(
                f'{self.depth_root}: expected annotated depth of {len(frames)} frames of '
                f'{self.split}, got none, first missing {frames[0]}. Unpack '
                'data_depth_annotated.zip ("depth prediction" page of the KITTI site): its folders '
                'train and val belong there, or set depth_root'
            )
        if len(kept) < len(frames):
            absent = len(frames) - len(kept)
            print_log(
                f'{type(self).__name__}: {absent} of {len(frames)} frames of {self.split} have no '
                'annotated depth and are left out',
                logger='current',
            )
        return kept

    def describe(self, frame: KittiFrame) -> dict:
        path = annotated_depth_path(self.depth_root, frame)
        return dict(super().describe(frame), depth_paths=dict(gt_depth=str(path)))
