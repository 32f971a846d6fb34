"""Frames with their neighbours in time: what KITTI and own videos have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from ...errors import DepthDataError

FrameId = int | str
MissingNeighbours = Literal['drop', 'repeat', 'black', 'error']


class FrameTripletDataset(BaseDataset):
    """A frame and its neighbours, for training depth by view synthesis.

    A sample given to the pipeline is dict(img_paths={frame id: path or None}, meta=dict(...)) and
    the camera: `cam2img` (3, 3) in pixels of the image, or `relative_intrinsics` (fx, fy, cx,
    cy) that hold for an image of any size. Where they are known (always with frame 's') also
    `transforms`, {frame id: (4, 4)} from this camera's frame to that frame's camera, in metres or
    the chosen unit.

    Args:
        frame_ids: 0 is the frame itself, other integers are frames before and after, 's' the other
            camera of a stereo pair at the same time.
        missing_neighbours: what becomes of a frame that lacks a neighbour, such as the first of a
            drive: 'drop' leaves it out, 'repeat' puts the frame itself in the neighbour's place
            (Mono-ViFI), 'black' a black image (ManyDepth), 'error' stops. They are counted and
            logged. The other camera of 's' is never made up.

    Raises:
        DepthDataError: frame 0 is not among the ids; neighbours are missing and 'error' is set;
            nothing is left.
        FileNotFoundError: frames of the list are not on disk.
    """

    def __init__(
        self,
        frame_ids: Sequence[FrameId] = (0, -1, 1),
        missing_neighbours: MissingNeighbours = 'drop',
        **kwargs: Any,
    ):
        if 0 not in frame_ids or any(isinstance(i, str) and i != 's' for i in frame_ids):
            raise DepthDataError(
                f"expected frame ids such as (0, -1, 1) or (0, -1, 1, 's'), got {tuple(frame_ids)}"
            )
        self.frame_ids = tuple(frame_ids)
        self.missing_neighbours = missing_neighbours
        super().__init__(**kwargs)

    @abstractmethod
    def list_frames(self) -> list:
        """All frames of the split, in order."""

    @abstractmethod
    def find(self, frame: Any, frame_id: FrameId) -> Path | None:
        """The image of a frame or of its neighbour, None where there is none."""

    @abstractmethod
    def describe(self, frame: Any) -> dict:
        """The sample's camera and `meta`."""

    def load_data_list(self) -> list[dict]:
        """List the samples, decide on missing neighbours."""
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
                f'among {len(frames)} frames. Is the list that of another set, or the drive one '
                'frame long?'
            )
        return [self._sample(frames[index], found[index]) for index in kept]

    def _sample(self, frame: Any, paths: dict) -> dict:
        as_text = {i: None if path is None else str(path) for i, path in paths.items()}
        return dict(
            img_paths=as_text, missing_neighbours=self.missing_neighbours, **self.describe(frame)
        )

    def _require_targets(self, frames: list, found: list[dict]) -> None:
        absent = [frame for frame, paths in zip(frames, found, strict=True) if paths[0] is None]
        if absent:
            raise FileNotFoundError(
                f'{self.data_root}: expected {len(frames)} frames, got {len(frames) - len(absent)};'
                f' {len(absent)} are not on disk, first {absent[0]}. '
                'See what is missing with: hybrid-depth prepare-kitti check ROOT --split LIST; '
                'write a list of what is there with: hybrid-depth prepare-kitti make-split ROOT '
                'OUT --of LIST'
            )

    def _report(self, frames: list, found: list[dict], incomplete: set[int]) -> None:
        """Log, or refuse, frames with missing neighbours."""
        if not incomplete:
            return
        first = min(incomplete)
        lacking = [i for i, path in found[first].items() if path is None]
        said = f'{len(incomplete)} of {len(frames)} frames lack a neighbour, the first of them '
        said += f'{frames[first]} lacks {lacking}'
        if self.missing_neighbours == 'error':
            raise DepthDataError(
                f"{said}; choose missing_neighbours='drop', 'repeat' or 'black', or another list"
            )
        print_log(f'{type(self).__name__}: {said}: {self.missing_neighbours}', logger='current')
