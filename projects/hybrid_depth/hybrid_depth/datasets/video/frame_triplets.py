"""Base class of video data sets for depth training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from ...errors import DepthDataError
from ..ego_masks import mask_path
from ..label_images import label_path

FrameId = int | str
MissingNeighbours = Literal['drop', 'repeat', 'black', 'error']


class FrameTripletDataset(BaseDataset):
    """Frames with temporal or stereo neighbours, for training depth by view synthesis.

    Input of the pipeline: dict(img_paths={frame id: path or None}, meta=dict(...)) and the camera:
    `cam2img` (3, 3) in pixels, of images of `calibration_size` (width, height) if that is known, or
    `relative_intrinsics` (fx, fy, cx, cy) for any image size.
    If known (always for frame 's') also `transforms`, {frame id: (4, 4)} from the current camera's
    frame to that frame's camera, in metres or the chosen unit. With `depth_folders` also
    `depth_paths`, {name: depth PNG of frame 0} (`LoadDepthMaps`).

    Args:
        frame_ids: 0 is the current frame, other integers are frames before and after, 's' is the
            other camera of a stereo pair at the same time.
        missing_neighbours: treatment of frames without a neighbour, such as the first of a drive:
            'drop' omits them, 'repeat' substitutes the current frame (Mono-ViFI), 'black' a black
            image (ManyDepth), 'error' raises. They are counted and logged. Stereo frames ('s') are
            never substituted.
        moving: folder of label images of moving objects, of `data_root` or absolute (see
            `datasets.label_images`), for `DepthMetric`: `meta` of a sample gets `moving_path`.
        depth_folders: depth maps of the current frames by name, such as
            `dict(physics_depth='data/kitti_embodied/depth')`: each folder mirrors the images below
            `data_root`, a/b/c.jpg has a/b/c.png, in the format of KITTI's annotated depth
            (hybrid-depth make-embodied-depth).
        ego_masks: folder of masks of the vehicle itself (hybrid-depth make-ego-masks), CAMERA.png
            for the last part of a frame's `meta['folder']`: samples get `ego_mask_path`
            (`LoadEgoMask`).

    Raises:
        DepthDataError: frame 0 is not among the ids; neighbours are missing with 'error'; no frame
            is left.
        FileNotFoundError: frames of the list, their label images or depth maps are not on disk.
    """

    def __init__(
        self,
        frame_ids: Sequence[FrameId] = (0, -1, 1),
        missing_neighbours: MissingNeighbours = 'drop',
        moving: str | None = None,
        depth_folders: Mapping[str, str] | None = None,
        ego_masks: str | None = None,
        **kwargs: Any,
    ):
        if 0 not in frame_ids or any(isinstance(i, str) and i != 's' for i in frame_ids):
            raise DepthDataError(
                f"expected frame ids such as (0, -1, 1) or (0, -1, 1, 's'), got {tuple(frame_ids)}"
            )
        self.frame_ids = tuple(frame_ids)
        self.missing_neighbours = missing_neighbours
        self.moving = moving
        self.depth_folders = dict(depth_folders or {})
        self.ego_masks = ego_masks
        super().__init__(**kwargs)

    @abstractmethod
    def list_frames(self) -> list:
        """All frames of the split, in order."""

    @abstractmethod
    def find(self, frame: Any, frame_id: FrameId) -> Path | None:
        """Path of the image of a frame or its neighbour; None if it does not exist."""

    @abstractmethod
    def describe(self, frame: Any) -> dict:
        """Camera and `meta` of a sample."""

    def load_data_list(self) -> list[dict]:
        """List the samples and apply `missing_neighbours`."""
        frames = self.list_frames()
        found = [{i: self.find(frame, i) for i in self.frame_ids} for frame in frames]
        self._require_targets(frames, found)
        incomplete = {index for index, paths in enumerate(found) if None in paths.values()}
        self._report(frames, found, incomplete)
        kept = [
            index
            for index, paths in enumerate(found)
            if index not in incomplete
            or (self.missing_neighbours != 'drop' and paths.get('s', True) is not None)
        ]
        if not kept:
            raise DepthDataError(
                f'{self.data_root}: expected frames with neighbours {self.frame_ids}, got none '
                f'among {len(frames)} frames. Is it the list of another data set, or a drive with '
                'one frame?'
            )
        samples = [self._sample(frames[index], found[index]) for index in kept]
        if self.moving is not None:
            self._add_moving(samples)
        return samples

    def _sample(self, frame: Any, paths: dict) -> dict:
        as_text = {i: None if path is None else str(path) for i, path in paths.items()}
        sample = dict(
            img_paths=as_text, missing_neighbours=self.missing_neighbours, **self.describe(frame)
        )
        if self.depth_folders:
            found = {
                name: label_path(folder, paths[0], self.data_root)
                for name, folder in self.depth_folders.items()
            }
            self._require_depth(found)
            known = sample.get('depth_paths', {})
            sample['depth_paths'] = {**known, **{name: str(path) for name, path in found.items()}}
        if self.ego_masks is not None:
            folder = Path(self.data_root, sample['meta']['folder'])
            sample['ego_mask_path'] = str(mask_path(self.ego_masks, folder.name))
        return sample

    @staticmethod
    def _require_depth(paths: Mapping[str, Path]) -> None:
        for name, path in paths.items():
            if not path.is_file():
                raise FileNotFoundError(
                    f'expected {name} in {path}, which does not exist; write the maps of all '
                    'images of the list there: hybrid-depth make-embodied-depth --help'
                )

    def _add_moving(self, samples: list[dict]) -> None:
        """Name the label image of every frame, which must exist."""
        folder = Path(self.data_root, self.moving)
        for sample in samples:
            path = label_path(folder, sample['img_paths'][0], self.data_root)
            sample['meta']['moving_path'] = str(path)
        absent = [s for s in samples if not Path(s['meta']['moving_path']).is_file()]
        if absent:
            raise FileNotFoundError(
                f'{folder}: expected label images of moving objects for {len(samples)} frames, got '
                f'none for {len(absent)}, first {absent[0]["meta"]["moving_path"]}. The folder '
                'mirrors the images; a toy world without it is of an older version: make it again'
            )

    def _require_targets(self, frames: list, found: list[dict]) -> None:
        absent = [frame for frame, paths in zip(frames, found, strict=True) if paths[0] is None]
        if absent:
            raise FileNotFoundError(
                f'{self.data_root}: expected {len(frames)} frames, got {len(frames) - len(absent)};'
                f' {len(absent)} are not on disk, first {absent[0]}. '
                'List what is missing: hybrid-depth prepare-kitti check ROOT --split LIST; '
                'write a list of the frames on disk: hybrid-depth prepare-kitti make-split ROOT '
                'OUT --of LIST'
            )

    def _report(self, frames: list, found: list[dict], incomplete: set[int]) -> None:
        """Log, or reject, frames with missing neighbours."""
        if not incomplete:
            return
        first = min(incomplete)
        lacking = [i for i, path in found[first].items() if path is None]
        problem = f'{len(incomplete)} of {len(frames)} frames lack a neighbour, the first of them '
        problem += f'{frames[first]} lacks {lacking}'
        if self.missing_neighbours == 'error':
            raise DepthDataError(
                f"{problem}; choose missing_neighbours='drop', 'repeat' or 'black', or another list"
            )
        print_log(f'{type(self).__name__}: {problem}: {self.missing_neighbours}', logger='current')
