"""Affine views of the frames of a sample."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.registry import TRANSFORMS
from PIL import Image
from torch import Tensor

from ...errors import DepthDataError
from ...foundation.images import to_tensor
from ...geometry.affine_view import AffineView, view_camera
from .resize import target_cam2img


@TRANSFORMS.register_module()
class AffineFrames:
    """Add affine views of all frames: enlarged, rotated about the centre, and cut (Mono-ViFI).

    Comes before resizing; docs/reference/mono_vifi.md, "Affine draw". Sets `affine`: `frames`, and
    `view`, the fields of an `AffineView` without batch dimension.

    Args:
        size: (width, height) that the frames are resized to afterwards, and that of the views.
        ratio, angle: ranges of the enlargement and of the angle, degrees counter-clockwise.

    Raises:
        DepthDataError: a sample without intrinsics.
    """

    def __init__(
        self,
        size: tuple[int, int],
        ratio: Sequence[float] = (1.2, 2.0),
        angle: Sequence[float] = (-5.0, 5.0),
    ):
        self.size, self.ratio, self.angle = tuple(size), tuple(ratio), tuple(angle)

    def draw(self) -> tuple[float, float, float, float]:
        """Random ratio, angle, and horizontal and vertical place of the part, in [0, 1)."""
        ratio, angle, x, y = torch.rand(4).tolist()
        return (
            self.ratio[0] + ratio * (self.ratio[1] - self.ratio[0]),
            self.angle[0] + angle * (self.angle[1] - self.angle[0]),
            x,
            y,
        )

    def __call__(self, results: dict) -> dict:
        ratio, angle, *place = self.draw()
        large = tuple(int(side * ratio) for side in self.size)
        offset = tuple(
            int((side - part) * share)
            for side, part, share in zip(large, self.size, place, strict=True)
        )

        def make(frame: Image.Image) -> Image.Image:
            turned = frame.resize(large, Image.Resampling.LANCZOS)
            turned = turned.rotate(angle, Image.Resampling.BILINEAR)
            left, top = offset
            return turned.crop((left, top, left + self.size[0], top + self.size[1]))

        frame = results['frames'][0]
        cam2img = target_cam2img(results, frame.size, self.size)
        if cam2img is None:
            raise DepthDataError(
                'AffineFrames: expected the intrinsics of the images in the sample, got none; set '
                'those of the data set (intrinsics, or cam2img)'
            )
        box = [round(value / ratio) for value in (*offset, *self.size)]
        seen = to_tensor(make(Image.new('RGB', frame.size, 'white')))[:1] > 0
        view = dict(
            angle=torch.tensor(angle),
            box=torch.tensor(box),
            ratio=torch.tensor(ratio),
            camera=view_camera(torch.from_numpy(cam2img).float(), angle, ratio, offset, large),
            seen=seen,
        )
        view['returned'] = self._returned(view)
        frames = {i: make(frame) for i, frame in results['frames'].items()}
        return dict(results, affine=dict(frames=frames, view=view))

    @staticmethod
    def _returned(view: dict) -> Tensor:
        white = view['seen'].float()
        batch = AffineView(**{key: value[None] for key, value in view.items()}, returned=white)
        return batch.restore(white[None])[0] > 0
