"""Pipeline transforms that corrupt images or calibration."""

from __future__ import annotations

import zlib

import numpy as np
from mmengine.registry import TRANSFORMS
from PIL import Image

from ..errors import ConfigError
from .camera_failures import dead_cameras, is_lost
from .corruptions import IMAGE_CORRUPTIONS, STRENGTHS, corrupt_image

CAMERA_FAILURES = ('camera_crash', 'frame_lost')
CORRUPTIONS = (*CAMERA_FAILURES, *IMAGE_CORRUPTIONS)
#: The eight that a mean resilience is over; noise stands beside them.
ROBOBEV = tuple(name for name in CORRUPTIONS if name != 'noise')


@TRANSFORMS.register_module()
class CorruptImages:
    """Corruption of all images of a sample, right after they are loaded.

    Takes the samples of `LoadMultiViewImages` (a rig, with earlier frames) and of `LoadFrames`
    (one camera). Equal in every epoch, process and worker.

    Args:
        corruption: one of `CORRUPTIONS`.
        strength: 1, 2 or 3.
        seed: seed of the random numbers.

    Raises:
        ConfigError: another corruption or strength; failing cameras for a sample of one camera.
    """

    def __init__(self, corruption: str, strength: int, seed: int = 0) -> None:
        if corruption not in CORRUPTIONS or strength not in STRENGTHS:
            raise ConfigError(
                f'CorruptImages: expected a corruption of {", ".join(CORRUPTIONS)} with a strength '
                f'of 1, 2 or 3, got {corruption!r} with {strength!r}'
            )
        self.corruption, self.strength, self.seed = corruption, strength, seed

    def __call__(self, results: dict) -> dict:
        if 'frames' in results:
            self._require_rig(1)
            frames = {i: self._corrupted(image) for i, image in results['frames'].items()}
            return dict(results, frames=frames)
        self._require_rig(len(results['img']))
        scene = str(results.get('scene_token', ''))
        for frame in (results, *results.get('adjacent', ())):
            images = frame['img']
            if self.corruption == 'camera_crash':
                dead = dead_cameras(len(images), self.strength, scene, self.seed)
                frame['img'] = [
                    _black(image) if out else image for image, out in zip(images, dead, strict=True)
                ]
            else:
                frame['img'] = [self._corrupted(image) for image in images]
        return results

    def _require_rig(self, cameras: int) -> None:
        if self.corruption in CAMERA_FAILURES and cameras < 2:
            raise ConfigError(
                f'CorruptImages: expected two cameras or more for {self.corruption}, got one; '
                'choose a corruption of images'
            )

    def _corrupted(self, image: Image.Image) -> Image.Image:
        array = np.asarray(image)
        if self.corruption == 'frame_lost':
            return _black(image) if is_lost(array, self.strength, self.seed) else image
        return Image.fromarray(corrupt_image(array, self.corruption, self.strength, self.seed))


def _black(image: Image.Image) -> Image.Image:
    return Image.new('RGB', image.size)


@TRANSFORMS.register_module()
class RotateCameras:
    """Calibration error: every camera turned by an angle about a random axis of its own.

    Changes `cam2ego`, not the images, so it comes after everything that the calibration maps into
    the images, such as LiDAR depth. A camera's axis is that of its name: the same in all samples.

    Args:
        angle: degrees.
        seed: seed of the random axes.
    """

    def __init__(self, angle: float, seed: int = 0) -> None:
        self.angle, self.seed = angle, seed

    def __call__(self, results: dict) -> dict:
        if 'cam2ego' not in results:
            raise ConfigError(
                'RotateCameras: expected samples of a rig with cam2ego, got '
                f'{sorted(results)}; leave the angles out'
            )
        turns = np.stack([self._rotation(name) for name in results['cam_names']])
        for frame in (results, *results.get('adjacent', ())):
            turned = np.array(frame['cam2ego'])
            turned[:, :3, :3] = turned[:, :3, :3] @ turns
            frame['cam2ego'] = turned
        return results

    def _rotation(self, name: str) -> np.ndarray:
        """(3, 3) rotation by Rodrigues' formula."""
        axis = np.random.default_rng([self.seed, zlib.crc32(name.encode())]).normal(size=3)
        x, y, z = axis / np.linalg.norm(axis)
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        angle = np.radians(self.angle)
        return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
