"""Checks of the images' resize rule: `img_aug` is what was done to the image, and `cam2img` is of
the file's size."""

from __future__ import annotations

import cv2
import numpy as np

from ..findings import NotCheckedError, fault
from .case import Case
from .keyframes import Keyframe
from .network_images import NetworkImage, network_images
from .sensor_overlap import Agreement, depth_edges, edge_image
from .vehicle_overlap import VehicleOverlap

# BEVDet's flip and rotation are half a pixel off by convention, its rounding of the resized size up
# to 1 pixel at the border (docs/reference/bevdet.md, "Image augmentation"), and its resize, which
# has no half pixels, half of the difference of the pixels' sizes.
_SHIFT = 2.0
_PATCHES = (2, 3)  # rows and columns of patches
_TEXTURE = 4.0  # standard deviation of a patch, of 255; less has no position
# Share of a patch with pixels of the file: both images are black in the corners of a rotated one.
_FILLED = 0.7
_ENOUGH = 3  # patches; one of two may have found another place that looks alike
_CENTRED = 0.03  # of the size; principal points this near the middle tell of no other size
# Gain of another size, in units of a camera's noise, averaged over the cameras, see
# `camera_extrinsics`: half of the smallest mean agreement seen under the right one.
_GAIN = 2.5


def check_img_aug(case: Case) -> str:
    """Compare the network's images with the files moved by `img_aug`.

    Raises:
        ConventionError: they are displaced by more than 2 pixels.
        NotCheckedError: no texture, or no `img_aug`.
    """
    worst = 0.0
    known = False
    for part, views in network_images(case).items():
        for view in views:
            shift = displacement(view)
            if shift is None:
                continue
            known, worst = True, max(worst, shift)
            scale = np.sqrt(abs(np.linalg.det(view.img_aug[:2, :2])))
            if shift > _SHIFT + abs(scale - 1) / 2:
                got, size = f'{shift:.1f} pixels between them', view.network.shape[1::-1]
                raise fault(
                    f'the {size[0]}x{size[1]} image of {view.camera} in {part} to be the file '
                    f'moved by img_aug, within {_SHIFT:g} pixels',
                    got + _likely(view),
                    'a transform that resizes, crops or flips must multiply img_aug by its matrix',
                )
    if not known:
        raise NotCheckedError('the images have no texture')
    return f'images are the files moved by img_aug, within {worst:.1f} pixels'


def displacement(view: NetworkImage) -> float | None:
    """Median displacement of patches of the two images in pixels (phase correlation); None without
    texture."""
    shifts = []
    for expected, network, inside in _patches(view):
        if min(expected.std(), network.std()) > _TEXTURE and inside.mean() > _FILLED:
            window = cv2.createHanningWindow(expected.shape[::-1], cv2.CV_32F)
            shifts.append(np.hypot(*cv2.phaseCorrelate(expected, network, window)[0]))
    return float(np.median(shifts)) if len(shifts) >= _ENOUGH else None


def _patches(view: NetworkImage):
    rows, columns = _PATCHES
    expected, network = (
        np.ascontiguousarray(image.mean(2)) for image in (view.expected, view.network)
    )
    height, width = (size // count for size, count in zip(expected.shape, _PATCHES, strict=True))
    for row in range(rows):
        for column in range(columns):
            part = np.s_[row * height : (row + 1) * height, column * width : (column + 1) * width]
            yield expected[part], network[part], view.inside[part]


def _likely(view: NetworkImage) -> str:
    """What was done instead, if it is one of the usual rules."""
    (h, w), (height, width) = view.file.shape[:2], view.network.shape[:2]
    rules = {
        'resized to the size of the network without regard to its aspect': (width / w, height / h),
        'resized in proportion and cropped at the top and bottom alike': (width / w, width / w),
    }
    from .network_images import network_image

    for name, (x, y) in rules.items():
        middle = (height - h * y) / 2
        matrix = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2 + middle], [0, 0, 1]])
        shift = displacement(network_image(view.camera, view.network, view.file, matrix))
        if shift is not None and shift < 1:
            return f'; it was {name}'
    return ''


def check_cam2img_size(case: Case) -> str:
    """Compare `cam2img` with the size of the files, by LiDAR where the middle is elsewhere.

    Raises:
        ConventionError: edges fit LiDAR better if cam2img is scaled to the file's size.
        NotCheckedError: it needs LiDAR.
    """
    first = case.keyframes[0]
    scales = [size_scales(first, camera) for camera in range(len(first.images))]
    off = max(abs(np.log(scale)).max() for scale in scales)
    if off < _CENTRED:
        return 'principal points are in the middle of the images'
    gain = _gain_of_scaling(case.swept, case.overlap, scales)
    if gain > _GAIN:
        x, y = scales[int(np.argmax([abs(np.log(scale)).max() for scale in scales]))]
        raise fault(
            'cam2img in pixels of the image files',
            f'a matrix that fits them if x is scaled by {x:.2f} and y by {y:.2f}',
            'scale cam2img with the images, or use the images of its size',
        )
    return f'cam2img fits the images better than one of another size (gain {gain:.1f})'


def size_scales(keyframe: Keyframe, camera: int) -> tuple[float, float]:
    """Factors of x and y that move the principal point of a camera to the middle of its image."""
    height, width = keyframe.images[camera].shape[:2]
    cx, cy = keyframe.cam2img[camera, :2, 2]
    return width / 2 / cx, height / 2 / cy


def _gain_of_scaling(
    swept: list[Keyframe], overlap: VehicleOverlap, scales: list[tuple[float, float]]
) -> float:
    """Mean gain of agreement over the cameras if cam2img is scaled."""
    gains = []
    for camera, (x, y) in enumerate(scales):
        both = [Agreement(np.eye(3)[None]) for _ in range(2)]
        for keyframe in swept:
            if keyframe.rings is None:
                continue
            edges = depth_edges(keyframe.points, keyframe.rings, keyframe.lidar2ego)
            edged, scale = edge_image(keyframe.images[camera])
            given = keyframe.cam2img[camera]
            for agreement, cam2img in zip(both, (given, np.diag([x, y, 1]) @ given), strict=True):
                agreement.add(edges, edged, scale, keyframe.ego2cam[camera], cam2img)
        gains.append((both[1].scores[0] - both[0].scores[0]) / overlap.noise[camera])
    return float(np.nanmean(gains))
