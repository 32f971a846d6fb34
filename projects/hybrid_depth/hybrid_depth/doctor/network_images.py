"""Images of a detector's pipeline beside the files that they come from."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from torch import Tensor

from ..datasets.image_files import open_image
from ..findings import NotCheckedError
from ..foundation.images import unit_range
from .case import Case


@dataclass(frozen=True)
class NetworkImage:
    """One image of the network, and what its file and `img_aug` lead to expect.

    Args:
        camera: name.
        network: (H, W, 3) of the pipeline, of 255.
        expected: (H, W, 3) the file moved by `img_aug`.
        inside: (H, W) bool, where both have pixels.
        img_aug: (3, 3) file pixel to network pixel.
        file: (h, w, 3) uint8 RGB.
    """

    camera: str
    network: np.ndarray
    expected: np.ndarray
    inside: np.ndarray
    img_aug: np.ndarray
    file: np.ndarray

    def difference(self, order: str) -> float:
        """Mean absolute difference of the two, with the channels of one reversed for 'bgr'."""
        network = self.network[..., ::-1] if order == 'bgr' else self.network
        return float(np.abs(network - self.expected)[self.inside].mean())

    @property
    def colour(self) -> float:
        """Mean absolute difference of red and blue in the file."""
        red, blue = self.expected[..., 0], self.expected[..., 2]
        return float(np.abs(red - blue)[self.inside].mean())


def network_images(case: Case) -> dict[str, list[NetworkImage]]:
    """Images of the first sample of each data set, by part.

    Raises:
        NotCheckedError: no pipeline packs images with `img_aug`.
    """
    found = {}
    for part, packed in case.samples.items():
        inputs = packed.get('inputs') if isinstance(packed, dict) else None
        if not inputs or 'rig' not in inputs:
            continue
        names, paths = (packed['data_samples'].metainfo[key] for key in ('cam_names', 'img_path'))
        found[part] = [
            network_image(name, _pixels(image), np.asarray(open_image(path)), matrix)
            for name, image, path, matrix in zip(
                names, inputs['img'], paths, inputs['rig']['img_aug'].numpy(), strict=True
            )
        ]
    if not found:
        raise NotCheckedError('no pipeline packs images with img_aug')
    return found


def _pixels(image: Tensor) -> np.ndarray:
    """(H, W, 3) on the scale of 8 bit."""
    return unit_range(image).movedim(0, -1).numpy() * 255


def network_image(
    camera: str, network: np.ndarray, file: np.ndarray, img_aug: np.ndarray
) -> NetworkImage:
    """The file moved by `img_aug`, blurred first where it gets smaller."""
    size = network.shape[1::-1]
    scale = np.sqrt(abs(np.linalg.det(img_aug[:2, :2])))
    smooth = file
    if scale < 1:
        smooth = cv2.GaussianBlur(file, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 0.5))
    expected = cv2.warpAffine(smooth, img_aug[:2], size, flags=cv2.INTER_LINEAR)
    white = np.full(file.shape[:2], 255, np.uint8)
    inside = cv2.warpAffine(white, img_aug[:2], size, flags=cv2.INTER_NEAREST) > 0
    return NetworkImage(
        camera, network.astype(np.float32), expected.astype(np.float32), inside, img_aug, file
    )
