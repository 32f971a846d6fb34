"""Loading of the frames of a sample."""

from __future__ import annotations

from mmengine.registry import TRANSFORMS
from PIL import Image

from ...datasets.image_files import open_image
from ...errors import DepthDataError


@TRANSFORMS.register_module()
class LoadFrames:
    """Load `img_paths` into `frames` {frame id: RGB image}; sets ori_shape (H, W).

    A neighbour without a path is substituted according to the data set's `missing_neighbours`: a
    copy of frame 0 or a black image.

    Raises:
        FileNotFoundError, DepthDataError: an image is missing or damaged, or a neighbour has
            another size than frame 0.
    """

    def __call__(self, results: dict) -> dict:
        paths = results['img_paths']
        target = open_image(paths[0])
        frames = {0: target}
        for frame_id, path in paths.items():
            if frame_id == 0:
                continue
            frames[frame_id] = self._stand_in(results, target) if path is None else open_image(path)
            if frames[frame_id].size != target.size:
                raise DepthDataError(
                    f'{path}: expected {target.size[0]}x{target.size[1]} pixels as in {paths[0]}, '
                    f'got {frames[frame_id].size[0]}x{frames[frame_id].size[1]}. Frames of a '
                    'video must have one size.'
                )
        width, height = target.size
        return dict(results, frames=frames, ori_shape=(height, width))

    @staticmethod
    def _stand_in(results: dict, target: Image.Image) -> Image.Image:
        repeat = results['missing_neighbours'] == 'repeat'
        return target.copy() if repeat else Image.new('RGB', target.size)
