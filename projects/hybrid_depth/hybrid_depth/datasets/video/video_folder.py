"""User videos as folders of frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.registry import DATASETS

from ...calibration_checks import check_camera
from ...errors import DepthDataError
from ..image_files import image_size
from .clips import are_missing_between, find_clips, frame_numbers
from .frame_triplets import FrameId, FrameTripletDataset
from .intrinsics import INTRINSICS_FILE, pixel_matrix, read_intrinsics


class ClipFrame(NamedTuple):
    """Frame of a clip: folder and index."""

    clip: Path
    index: int


@DATASETS.register_module()
class VideoFolderDataset(FrameTripletDataset):
    """Video frames of any camera; every folder below the root that contains images is a clip.

    Frames are in the natural order of their names (9 before 10); of copies of an image with another
    ending, one is used. Hidden folders and folders of depth maps or labels are left out. Where
    frames are missing in the numbers of the names, there are no neighbours. The intrinsics of a
    clip come from `intrinsics`, or from a file `intrinsics.txt` in its folder or a parent up to
    the root.
    `meta` of a sample: dataset, name (unique), folder, frame.

    Args:
        data_root: root folder.
        intrinsics: fx, fy, cx, cy in pixels of the images, for all clips.
        frame_step: distance to the neighbours, in frames; more than 1 if the camera moves little
            between frames (`prepare-kitti check` reports the motion in pixels).
        kwargs: see `FrameTripletDataset` and mmengine's `BaseDataset`.

    Raises:
        FileNotFoundError: root, images or intrinsics do not exist.
        DepthDataError: implausible intrinsics (see `check_camera`), those of images of several
            sizes, or two frames of one name.
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
        self.clips = find_clips(Path(data_root))
        self._steps = {clip: frame_numbers(images) for clip, images in self.clips.items()}
        self._cameras: dict[Path, tuple[np.ndarray, tuple[int, int]]] = {}
        self._sizes: dict[Path | str, tuple[tuple[int, int], Path]] = {}
        super().__init__(data_root=data_root, **kwargs)

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
        if not 0 <= index < len(images):
            return None
        if are_missing_between(self._steps[frame.clip], frame.index, index):
            return None
        return images[index]

    def load_data_list(self) -> list[dict]:
        """As of `FrameTripletDataset`, with unique names."""
        samples = super().load_data_list()
        seen: dict[str, str] = {}
        for sample in samples:
            name, path = sample['meta']['name'], sample['img_paths'][0]
            if name in seen:
                raise DepthDataError(
                    f'{self.data_root}: expected frames of different names, got {name} for '
                    f'{seen[name]} and {path}; rename one of the folders'
                )
            seen[name] = path
        return samples

    def describe(self, frame: ClipFrame) -> dict:
        clip = frame.clip.relative_to(self.data_root).as_posix()
        stem = self.clips[frame.clip][frame.index].stem
        name = stem if clip == '.' else f'{clip}/{stem}'.replace('/', '_')
        meta = dict(dataset='video_folder', name=name, folder=clip, frame=frame.index)
        cam2img, size = self._camera(frame.clip)
        return dict(cam2img=cam2img, calibration_size=size, meta=meta)

    def camera_of(self, clip: Path) -> np.ndarray:
        """Intrinsic matrix (3, 3) of a clip, pixels; errors as of the class."""
        return self._camera(clip)[0]

    def _camera(self, clip: Path) -> tuple[np.ndarray, tuple[int, int]]:
        """Intrinsic matrix and image size of a clip."""
        if clip not in self._cameras:
            if self.intrinsics is not None:
                source, matrix = 'intrinsics of the config', pixel_matrix(self.intrinsics)
            else:
                source = self._intrinsics_file(clip)
                matrix = read_intrinsics(source)
            size = image_size(self.clips[clip][0])
            check_camera(matrix, str(source), size)
            first_size, first = self._sizes.setdefault(source, (size, clip))
            if size != first_size:
                raise DepthDataError(
                    f'{source}: expected images of one size, got {first_size[0]}x{first_size[1]} '
                    f'in {first} and {size[0]}x{size[1]} in {clip}; write an {INTRINSICS_FILE} to '
                    'each folder'
                )
            self._cameras[clip] = matrix, size
        return self._cameras[clip]

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
