"""User videos as folders of frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.registry import DATASETS

from ...calibration_checks import check_camera
from ...errors import DepthDataError
from ...text_files import read_text
from ..image_files import image_size, images_in
from .frame_triplets import FrameId, FrameTripletDataset

INTRINSICS_FILE = 'intrinsics.txt'


class ClipFrame(NamedTuple):
    """Frame of a clip: folder and index."""

    clip: Path
    index: int


def read_intrinsics(path: str | Path) -> np.ndarray:
    """Read intrinsics (3, 3) in pixels from a file of 9 numbers, or of 4: fx fy cx cy.

    Raises:
        DepthDataError: another count of numbers, or text.
    """
    try:
        numbers = np.array(read_text(path).replace(',', ' ').split(), dtype=float)
    except ValueError as error:
        raise DepthDataError(f'{path}: expected numbers only, got text ({error})') from error
    if numbers.size == 9:
        return numbers.reshape(3, 3)
    if numbers.size == 4:
        return pixel_matrix(numbers)
    raise DepthDataError(
        f'{path}: expected 9 numbers (a 3x3 matrix) or 4 (fx fy cx cy), in pixels; got '
        f'{numbers.size}'
    )


def pixel_matrix(numbers: Sequence[float]) -> np.ndarray:
    """Intrinsic matrix (3, 3) from fx, fy, cx, cy in pixels."""
    fx, fy, cx, cy = numbers
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])


@DATASETS.register_module()
class VideoFolderDataset(FrameTripletDataset):
    """Video frames of any camera; every folder below the root that contains images is a clip.

    Frames are in the natural order of their names (9 before 10). The intrinsics of a clip come from
    `intrinsics`, or from a file `intrinsics.txt` in its folder or a parent folder up to the root.
    `meta` of a sample: dataset, name (unique), folder, frame.

    Args:
        data_root: root folder.
        intrinsics: fx, fy, cx, cy in pixels of the images, for all clips.
        frame_step: distance to the neighbours, in frames; more than 1 if the camera moves little
            between frames (`prepare-kitti check` reports the motion in pixels).
        kwargs: see `FrameTripletDataset` and mmengine's `BaseDataset`.

    Raises:
        FileNotFoundError: root, images or intrinsics do not exist.
        DepthDataError: implausible intrinsics (see `check_camera`).
    """

    METAINFO = dict(dataset='video_folder')

    def __init__(
        self,
        data_root: str,
        intrinsics: Sequence[float] | None = None,
        frame_step: int = 1,
        **kwargs: Any,
    ):
        if frame_step < 1:
            raise DepthDataError(f'expected frame_step of at least 1, got {frame_step}')
        self.intrinsics = intrinsics
        self.frame_step = frame_step
        self.clips = self._find_clips(Path(data_root))
        self._matrices: dict[Path, np.ndarray] = {}
        super().__init__(data_root=data_root, **kwargs)

    @staticmethod
    def _find_clips(root: Path) -> dict[Path, list[Path]]:
        if not root.is_dir():
            raise FileNotFoundError(
                f'expected a folder of frames, got {root}, which does not exist'
            )
        folders = [root, *sorted(path for path in root.rglob('*') if path.is_dir())]
        clips = {folder: images for folder in folders if (images := images_in(folder))}
        if not clips:
            raise FileNotFoundError(f'expected PNG or JPEG frames in or below {root}, got none')
        return clips

    def list_frames(self) -> list[ClipFrame]:
        return [
            ClipFrame(clip, index)
            for clip, images in self.clips.items()
            for index in range(len(images))
        ]

    def find(self, frame: ClipFrame, frame_id: FrameId) -> Path | None:
        if frame_id == 's':
            raise DepthDataError("a video folder has no other camera; take 's' out of frame_ids")
        images = self.clips[frame.clip]
        index = frame.index + frame_id * self.frame_step
        return images[index] if 0 <= index < len(images) else None

    def describe(self, frame: ClipFrame) -> dict:
        clip = frame.clip.relative_to(self.data_root).as_posix()
        stem = self.clips[frame.clip][frame.index].stem
        name = stem if clip == '.' else f'{clip}/{stem}'.replace('/', '_')
        meta = dict(dataset='video_folder', name=name, folder=clip, frame=frame.index)
        return dict(cam2img=self.camera_of(frame.clip), meta=meta)

    def camera_of(self, clip: Path) -> np.ndarray:
        """Intrinsic matrix (3, 3) of a clip, pixels; errors as of the class."""
        if clip not in self._matrices:
            if self.intrinsics is not None:
                source, matrix = 'intrinsics of the config', pixel_matrix(self.intrinsics)
            else:
                source = self._intrinsics_file(clip)
                matrix = read_intrinsics(source)
            check_camera(matrix, str(source), image_size(self.clips[clip][0]))
            self._matrices[clip] = matrix
        return self._matrices[clip]

    def _intrinsics_file(self, clip: Path) -> Path:
        root = Path(self.data_root)
        places = [
            place for place in (clip, *clip.parents) if place == root or root in place.parents
        ]
        for place in places:
            if (place / INTRINSICS_FILE).is_file():
                return place / INTRINSICS_FILE
        raise FileNotFoundError(
            f'expected the intrinsics of {clip}: write fx fy cx cy in pixels to '
            f'{root / INTRINSICS_FILE}, or set intrinsics=(fx, fy, cx, cy) in the config. Without '
            'a calibration, use the image centre and fx = fy = '
            'width / (2 tan(half the horizontal angle of view)).'
        )
