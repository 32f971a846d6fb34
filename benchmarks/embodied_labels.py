"""Embodied depth of the toy world with exact and with damaged labels, without learning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from hybrid_depth.datasets.calibrated_frames import KITTI_HEIGHT, kitti_clips
from hybrid_depth.datasets.depth_map_files import read_depth_png
from hybrid_depth.datasets.label_images import label_path, read_label_image
from hybrid_depth.errors import DepthDataError
from hybrid_depth.geometry import EmbodiedDepth, GroundPlane
from hybrid_depth.geometry.scene_classes import CLASSES, GROUND, SKY, THINGS, UNLABELLED
from hybrid_depth.inference.depth_accuracy import DepthAccuracy

PIXELS = 4  # of erosion, dilation and shift
LOST = 0.1  # of the instances
_WINDOW = np.ones((2 * PIXELS + 1,) * 2, np.uint8)
_OBJECTS = tuple(x for x in range(len(CLASSES)) if x not in (*GROUND, SKY))

Images = tuple[np.ndarray, np.ndarray | None]
Damage = Callable[[np.ndarray, np.ndarray], Images]


def eroded(labels: np.ndarray, instances: np.ndarray) -> Images:
    """No label within `PIXELS` of a boundary of classes."""
    uniform = cv2.erode(labels, _WINDOW) == cv2.dilate(labels, _WINDOW)
    return np.where(uniform, labels, UNLABELLED).astype(np.uint8), instances


def dilated(labels: np.ndarray, instances: np.ndarray) -> Images:
    """Objects grow by `PIXELS` over ground and sky, things over all else."""
    labels, grown = labels.copy(), cv2.dilate(instances, _WINDOW)
    for label in (*(x for x in _OBJECTS if x not in THINGS), *THINGS):
        labels[cv2.dilate((labels == label).astype(np.uint8), _WINDOW) > 0] = label
    return labels, np.where((instances == 0) & np.isin(labels, THINGS), grown, instances)


def shifted(labels: np.ndarray, instances: np.ndarray) -> Images:
    """Right and down by `PIXELS`; the first rows and columns are repeated."""
    edge = dict(pad_width=((PIXELS, 0), (PIXELS, 0)), mode='edge')
    return tuple(np.pad(x, **edge)[:-PIXELS, :-PIXELS] for x in (labels, instances))


def with_losses(labels: np.ndarray, instances: np.ndarray) -> Images:
    """Without label and instance for a random fraction `LOST` of the instances."""
    # an object is lost or found in all images
    lost = np.random.default_rng(0).random(2**16) < LOST
    lost[0] = False
    gone = lost[instances]
    return np.where(gone, UNLABELLED, labels).astype(np.uint8), np.where(gone, 0, instances)


VARIANTS: dict[str, Damage] = {
    'exact': lambda labels, instances: (labels, instances),
    'without instances': lambda labels, instances: (labels, None),
    f'eroded by {PIXELS} pixels': eroded,
    f'dilated by {PIXELS} pixels': dilated,
    f'shifted by {PIXELS} pixels': shifted,
    f'{LOST:.0%} of instances lost': with_losses,
}


def tables(root: Path, every: int) -> dict[str, DepthAccuracy]:
    """Accuracy with each variant of the labels, on every so manyth frame of each camera.

    Raises:
        DepthDataError: no frame has annotated depth.
    """
    model = EmbodiedDepth(kerb_height=0.0)  # the toy's streets have none
    clips = kitti_clips(root, GroundPlane.from_angles(KITTI_HEIGHT))
    frames = [frame for clip in clips for frame in clip[::every]]
    frames = [frame for frame in frames if frame.truth is not None and frame.truth.is_file()]
    if not frames:
        raise DepthDataError(
            f'{root}: expected a toy world with annotated depth, got none; make one with '
            'tools/make_toy_world.py --layout kitti'
        )
    found = {name: DepthAccuracy() for name in VARIANTS}
    for frame in tqdm(frames, desc='frames'):
        images = (
            read_label_image(label_path(root / kind, frame.image, root))
            for kind in ('semantic', 'instance')
        )
        labels, instances = images
        truth = read_depth_png(frame.truth)
        for name, damage in VARIANTS.items():
            classes, ids = damage(labels, instances)
            result = model(classes, frame.cam2img, frame.plane, ids)
            depth, provenance = (x[0, 0].numpy() for x in (result.depth, result.provenance))
            found[name].add(depth, provenance, truth)
    return found


def main(root: str, every: int) -> None:
    """Print the table of each variant."""
    for name, table in tables(Path(root), every).items():
        print(f'\n{name}\n{table}')
