"""Dense depth from camera calibration and class labels, without learning."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from .ground_contact import class_table, surface_distance, thing_distance, thing_ids
from .ground_plane import GroundPlane
from .inverse_depth_fill import fill_inverse_depth
from .scene_classes import CLASSES, GROUND, ROAD, SIDEWALK, SKY, TERRAIN, UNLABELLED
from .upright_view import UprightView

_LOGGER = logging.getLogger(__name__)
_KNOWN_LABELS = class_table((*range(len(CLASSES)), UNLABELLED))
_GROUND = class_table(GROUND)


class Provenance(IntEnum):
    """Origin of a pixel's depth."""

    INVALID = 0
    ROAD = 1
    GROUND = 2
    VERTICAL = 3
    FILLED = 4
    SKY = 5


@dataclass(frozen=True)
class EmbodiedDepthMap:
    """Embodied depth of a batch of images.

    Attributes:
        depth: (B, 1, H, W) float32 metres along the camera's axis, 0 = invalid.
        provenance: (B, 1, H, W) uint8 of `Provenance`: the origin of each depth; INVALID and SKY
            have none.
    """

    depth: Tensor
    provenance: Tensor


@dataclass(frozen=True)
class EmbodiedDepth:
    """Depth of the road, the ground beside it, what stands on both, and what is between.

    The stages of Vision-Language Embodiment (CVPR 2025, arXiv 2503.16535), whose code is not
    public; equations in docs/reference/ground_plane.md, "Depth of vertical surfaces":

    1. road: intersection of the ray with the ground plane;
    2. ground: sidewalks are higher by the kerb, terrain by `terrain_height`;
    3. vertical: building, wall, fence, vegetation have the distance of the ground below them, per
       column; a car, person, pole, ... has that of its nearest contacts;
    4. filled: pixels without contact to the ground, inpainted in inverse depth;
    5. sky has no depth.

    Ground at or above the horizon or beyond `max_depth`, and what stands there, is invalid and
    never filled. Every pixel belongs to one object, so the order of writing does not matter. Runs
    on the CPU, image by image.

    Args:
        max_depth: largest depth, metres.
        kerb_height: of sidewalks above the road, metres.
        terrain_height: of terrain above the road, metres.
        near: fraction of a thing's contacts with the ground that may be nearer than its distance.
        reach: columns to each side in the median filter of the contacts of vertical surfaces.
        fill: inpaint holes.

    Example:
        >>> labels = np.full((20, 10), CLASSES.index('building'), np.uint8)
        >>> labels[16:] = ROAD
        >>> cam2img = torch.tensor([[20.0, 0, 4.5], [0, 20, 9.5], [0, 0, 1]])
        >>> result = EmbodiedDepth()(labels, cam2img, GroundPlane.from_angles(height=1.5))
        >>> result.depth[0, 0, [0, 15, 19], 0].double().round(decimals=2).tolist()
        [5.0, 5.0, 3.16]
        >>> result.provenance[0, 0, [0, 15, 19], 0].tolist()
        [3, 3, 1]
    """

    max_depth: float = 80.0
    kerb_height: float = 0.12
    terrain_height: float = 0.0
    near: float = 0.1
    reach: int = 5
    fill: bool = True

    def __call__(
        self,
        labels: Tensor | np.ndarray,
        cam2img: Tensor | np.ndarray,
        plane: GroundPlane,
        instances: Tensor | np.ndarray | None = None,
    ) -> EmbodiedDepthMap:
        """Embodied depth of a batch of images.

        Args:
            labels: (B, H, W) or (H, W) uint8, Cityscapes train ids, 255 = not labelled.
            cam2img: (B, 3, 3) or (3, 3) intrinsics, image augmentation included.
            plane: ground in the camera frame, of shape (B,) or (). Invalid planes give invalid
                depth.
            instances: like the labels, unsigned integers up to 65535, 0 = none. Without them,
                things of a class that touch each other in the image share one distance (logged).

        Returns:
            Maps on the device of the labels.

        Raises:
            ValueError: shapes do not fit, labels are not train ids, or intrinsics are not finite
                and invertible.
        """
        device = labels.device if isinstance(labels, Tensor) else None
        classes, ids = _images(labels), None if instances is None else _images(instances)
        if ids is not None and ids.shape != classes.shape:
            raise ValueError(
                f'EmbodiedDepth: expected instances of the size of the labels {classes.shape}, got '
                f'{ids.shape}; both are label images of the same frame'
            )
        unknown = np.flatnonzero(np.bincount(classes.ravel(), minlength=256) * ~_KNOWN_LABELS)
        if len(unknown):
            raise ValueError(
                f'EmbodiedDepth: expected labels 0 to {len(CLASSES) - 1} (Cityscapes train ids) '
                f'and {UNLABELLED}, got {unknown.tolist()}; convert ids by a mapping'
            )
        batch = len(classes)
        cameras = _batched(torch.as_tensor(cam2img), batch, 'cam2img', 2)
        normals = _batched(plane.normal, batch, 'plane.normal', 1)
        heights = _batched(plane.height, batch, 'plane.height', 0)
        valid = _batched(plane.valid, batch, 'plane.height', 0)
        if not (np.isfinite(cameras).all() and (np.abs(np.linalg.det(cameras)) > 0).all()):
            raise ValueError(
                f'EmbodiedDepth: expected finite, invertible intrinsics, got {cameras.tolist()}'
            )
        maps = [
            self._image(
                classes[i],
                None if ids is None else ids[i],
                cameras[i],
                normals[i],
                heights[i] if valid[i] else np.nan,
            )
            for i in range(batch)
        ]
        depth, provenance = (
            torch.from_numpy(np.stack(x)[:, None]) for x in zip(*maps, strict=True)
        )
        return EmbodiedDepthMap(depth.to(device), provenance.to(device))

    def _image(self, labels, instances, cam2img, normal, height) -> tuple[np.ndarray, np.ndarray]:
        """Depth and provenance (H, W) of one image."""
        sky = labels == SKY
        provenance = sky * np.uint8(Provenance.SKY)
        if not np.isfinite(height):
            return np.zeros(labels.shape, np.float32), provenance
        per_metre = self._inverse_heights(height)
        inverse = _linear(normal @ np.linalg.inv(cam2img), labels.shape)
        inverse *= np.nan_to_num(per_metre).astype(np.float32)[labels]
        ground = _GROUND[labels]
        provenance[ground] = Provenance.GROUND
        provenance[labels == ROAD] = Provenance.ROAD
        standing = self._standing(labels, instances, cam2img, normal, per_metre)
        upright = np.isfinite(standing) & ~ground & ~sky
        np.copyto(inverse, standing, where=upright)
        provenance[upright] = Provenance.VERTICAL
        known = (ground | upright) & (inverse * self.max_depth >= 1)
        if self.fill:
            holes = ~(ground | upright | sky)
            if holes.any():
                filled = fill_inverse_depth(inverse, known)
                np.copyto(inverse, filled, where=holes)
                provenance[holes] = Provenance.FILLED
                known |= holes & (inverse * self.max_depth >= 1)
        provenance[~(known | sky)] = Provenance.INVALID
        depth = np.zeros(labels.shape, np.float32)
        np.divide(1, inverse, out=depth, where=known)
        return depth, provenance

    def _inverse_heights(self, height: float) -> np.ndarray:
        """(256,) 1 / height of the camera above the ground of each class; NaN: no ground."""
        table = np.full(UNLABELLED + 1, np.nan)
        for label, raised in (
            (ROAD, 0),
            (SIDEWALK, self.kerb_height),
            (TERRAIN, self.terrain_height),
        ):
            below = height - raised
            table[label] = 1 / below if below > 0 else 0  # 0: as if infinitely far, invalid
        return table

    def _standing(self, labels, instances, cam2img, normal, per_metre) -> np.ndarray:
        """(H, W) float32 inverse depth of what stands on the ground, NaN where unknown."""
        view = UprightView.of(cam2img, normal, labels.shape)
        if view is None:
            return np.full(labels.shape, np.nan, np.float32)
        ids, components = thing_ids(labels, instances)
        if components:
            _LOGGER.info('%d things without an instance: connected components', components)
        upright = view.from_image(labels, UNLABELLED)
        per_row = per_metre / view.focal
        surfaces = surface_distance(upright, per_row, view.horizon, self.reach)
        inverse = view.to_image(surfaces, labels.shape).copy()
        number, table = thing_distance(
            view.from_image(ids, 0),
            upright,
            per_row,
            view.horizon,
            view.focal,
            view.middle,
            self.near,
        )
        number[ids[-1]] = -1  # its nearest contact is below the image
        table = np.append(table, np.full((1, view.size[1]), np.nan, np.float32), 0)  # row -1
        rows, columns = np.nonzero(ids)
        column = view.column(rows, columns).clip(0, view.size[1] - 1)
        inverse[rows, columns] = table[number[ids[rows, columns]], column]
        forward = _linear(view.forward, labels.shape)
        inverse *= forward
        inverse[forward <= 0] = np.nan  # rays that point backwards
        return inverse


def _images(labels: Tensor | np.ndarray) -> np.ndarray:
    """(B, H, W) unsigned array of label images (B, H, W) or (H, W)."""
    array = labels.cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.ndim not in (2, 3) or not np.issubdtype(array.dtype, np.integer) or not array.size:
        raise ValueError(
            'EmbodiedDepth: expected label images (B, H, W) or (H, W) of integers, got '
            f'{array.shape} of {array.dtype}'
        )
    if array.min() < 0 or array.max() >= 2**16:
        raise ValueError(
            f'EmbodiedDepth: expected labels and instances from 0 to 65535, got {array.min()} to '
            f'{array.max()}'
        )
    return array.reshape(-1, *array.shape[-2:])


def _batched(values: Tensor, batch: int, name: str, dims: int) -> np.ndarray:
    """(batch, ...) float64, of values with `dims` dimensions and perhaps a batch dimension."""
    array = values.detach().cpu().double().numpy()
    if array.ndim == dims:
        array = array[None]
    if array.ndim != dims + 1 or len(array) not in (1, batch):
        raise ValueError(
            f'EmbodiedDepth: expected {name} for one image or for each of {batch}, got shape '
            f'{tuple(values.shape)}'
        )
    return np.broadcast_to(array, (batch, *array.shape[1:]))


def _linear(coefficients: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) float32 of coefficients . (u, v, 1)."""
    height, width = size
    columns = coefficients[0] * np.arange(width) + coefficients[2]
    rows = coefficients[1] * np.arange(height)
    return rows.astype(np.float32)[:, None] + columns.astype(np.float32)
