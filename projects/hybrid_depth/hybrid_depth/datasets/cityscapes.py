"""Cityscapes sequences: triplets for training, frames with an earlier one for tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mmengine.registry import DATASETS

from ..calibration_checks import check_camera
from ..errors import DamagedFileError, DepthDataError
from ..text_files import read_json
from .image_files import image_size, images_in
from .video.frame_triplets import FrameId, FrameTripletDataset
from .video.intrinsics import read_intrinsics

_CAMERA_SUFFIX = '_cam.txt'
_PANELS = {-1: 0, 0: 1, 1: 2}
_IMAGE, _CAMERA = 'leftImg8bit', 'camera'
_FRAME = re.compile(r'(?P<city>.+)_(?P<sequence>[0-9]+)_(?P<frame>[0-9]+)_leftImg8bit')
_VISIBLE = 0.75  # rows above the car's bonnet


@DATASETS.register_module()
class CityscapesTripletDataset(FrameTripletDataset):
    """Cityscapes training triplets: three frames in one image, previous, current, next.

    As prepared for SfMLearner and read by ManyDepth and Mono-ViFI (docs/reference/manydepth.md,
    "Data"): images in the folders of the cities, each with a file of intrinsics of its name and the
    ending `_cam.txt`, nine numbers in pixels of one frame.

    Args:
        data_root: folder of the cities.
        panels: 'side_by_side' (ManyDepth), or 'stacked' one below the other (Mono-ViFI).
        **kwargs: see `FrameTripletDataset` and mmengine's `BaseDataset`.

    Raises:
        FileNotFoundError: no such folder, no triplets in it, or images without intrinsics.
        DepthDataError: frame ids other than -1, 0 and 1.
    """

    METAINFO = dict(dataset='cityscapes')

    def __init__(
        self,
        data_root: str,
        panels: Literal['side_by_side', 'stacked'] = 'side_by_side',
        **kwargs: Any,
    ) -> None:
        if panels not in ('side_by_side', 'stacked'):
            raise DepthDataError(f"expected panels 'side_by_side' or 'stacked', got {panels!r}")
        strange = set(kwargs.get('frame_ids', ())) - set(_PANELS)
        if strange:
            raise DepthDataError(f'expected frame ids among {tuple(_PANELS)}, got {strange}')
        self.panels = panels
        super().__init__(data_root=data_root, **kwargs)

    def list_frames(self) -> list[Path]:
        root = Path(self.data_root)
        found = [image for folder in _folders(root) for image in images_in(folder)]
        if not found:
            raise FileNotFoundError(f'{root}: expected triplets in folders of cities, got none')
        holes = [path for path in found if not _camera_of(path).is_file()]
        if holes:
            raise FileNotFoundError(
                f'{root}: expected intrinsics beside every triplet, got none for {len(holes)} of '
                f'{len(found)}, first {_camera_of(holes[0])}; write them, or remove the images'
            )
        return found

    def find(self, frame: Path, frame_id: FrameId) -> Path:
        return frame

    def describe(self, frame: Path) -> dict:
        first = 0 if self.panels == 'side_by_side' else 1
        boxes = {}
        for frame_id in self.frame_ids:
            box = [0.0, 0.0, 1.0, 1.0]
            box[first], box[first + 2] = _PANELS[frame_id] / 3, (_PANELS[frame_id] + 1) / 3
            boxes[frame_id] = tuple(box)
        size = list(image_size(frame))
        size[first] //= 3
        matrix = check_camera(
            read_intrinsics(_camera_of(frame)), str(_camera_of(frame)), tuple(size)
        )
        meta = dict(dataset='cityscapes', name=frame.stem, folder=frame.parent.name, frame=0)
        return dict(img_boxes=boxes, relative_intrinsics=_relative(matrix, size), meta=meta)


@DATASETS.register_module()
class CityscapesFrameDataset(FrameTripletDataset):
    """Cityscapes frames as they are released, without the rows of the car, with earlier frames.

    `leftImg8bit/SPLIT/CITY/*_leftImg8bit.png`, their neighbours in `leftImg8bit_sequence`, and
    intrinsics in `camera/SPLIT/CITY/*_camera.json`. The lower quarter of the rows is cut off
    (docs/reference/manydepth.md, "Data").

    Args:
        data_root: folder of Cityscapes.
        split: 'train', 'val' or 'test'.
        frame_step: frames between a frame and its neighbour -1; ManyDepth has 2.
        **kwargs: see `FrameTripletDataset` and mmengine's `BaseDataset`.

    Raises:
        FileNotFoundError: a folder, or the intrinsics of frames, are missing.
        DepthDataError: a camera file without intrinsics.
    """

    METAINFO = dict(dataset='cityscapes')

    class Frame(NamedTuple):
        """A frame: its path, and the place in its sequence."""

        path: Path
        city: str
        sequence: str
        number: int

    def __init__(
        self, data_root: str, split: str = 'test', frame_step: int = 2, **kwargs: Any
    ) -> None:
        self.split, self.frame_step = split, frame_step
        super().__init__(data_root=data_root, **kwargs)

    def list_frames(self) -> list[Frame]:
        folder = Path(self.data_root, _IMAGE, self.split)
        frames = []
        for path in (image for city in _folders(folder) for image in images_in(city)):
            match = _FRAME.fullmatch(path.stem)
            if match is not None:
                frames.append(
                    self.Frame(path, match['city'], match['sequence'], int(match['frame']))
                )
        if not frames:
            raise FileNotFoundError(f'{folder}: expected CITY/*_{_IMAGE}.png, got none')
        holes = [frame for frame in frames if not self._camera_of(frame).is_file()]
        if holes:
            raise FileNotFoundError(
                f'{self.data_root}: expected the intrinsics of {len(frames)} frames, got none for '
                f'{len(holes)}, first {self._camera_of(holes[0])}; unpack camera_trainvaltest.zip'
            )
        return frames

    def find(self, frame: Frame, frame_id: FrameId) -> Path | None:
        if frame_id == 0:
            return frame.path
        number = frame.number + frame_id * self.frame_step
        name = f'{frame.city}_{frame.sequence}_{number:06d}_{_IMAGE}{frame.path.suffix}'
        path = Path(self.data_root, f'{_IMAGE}_sequence', self.split, frame.city, name)
        return path if path.is_file() else None

    def describe(self, frame: Frame) -> dict:
        camera = self._camera_of(frame)
        try:
            values = read_json(camera)['intrinsic']
            fx, fy, cx, cy = (float(values[key]) for key in ('fx', 'fy', 'u0', 'v0'))
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, DamagedFileError):
                raise
            raise DepthDataError(
                f'{camera}: expected the intrinsics fx, fy, u0 and v0 as JSON, got {error!r}'
            ) from error
        width, height = image_size(frame.path)
        check_camera([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], str(camera), (width, height))
        rows = height * _VISIBLE
        name = frame.path.stem.removesuffix(f'_{_IMAGE}')
        meta = dict(dataset='cityscapes', name=name, folder=frame.city, frame=frame.number)
        return dict(
            img_boxes=dict.fromkeys(self.frame_ids, (0.0, 0.0, 1.0, _VISIBLE)),
            relative_intrinsics=(fx / width, fy / rows, cx / width, cy / rows),
            meta=meta,
        )

    def _camera_of(self, frame: Frame) -> Path:
        name = frame.path.stem.removesuffix(f'_{_IMAGE}')
        return Path(self.data_root, _CAMERA, self.split, frame.city, f'{name}_{_CAMERA}.json')


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        raise FileNotFoundError(f'expected the folder {root}, which does not exist')
    return sorted(path for path in root.iterdir() if path.is_dir())


def _camera_of(image: Path) -> Path:
    return image.with_name(image.stem + _CAMERA_SUFFIX)


def _relative(matrix: Any, size: list[int]) -> tuple[float, ...]:
    width, height = size
    return (
        matrix[0, 0] / width,
        matrix[1, 1] / height,
        matrix[0, 2] / width,
        matrix[1, 2] / height,
    )
