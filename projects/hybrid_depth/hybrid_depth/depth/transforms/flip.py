"""Mirroring a sample."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.registry import TRANSFORMS
from PIL import Image

MIRROR = np.diag([-1.0, 1, 1, 1])


@TRANSFORMS.register_module()
class FlipFrames:
    """Mirror all frames of a sample left to right, all or none; stands before resizing.

    The centre of a calibrated camera moves to width - 1 - cx; relative intrinsics (Monodepth2's)
    stay as they are, as in the release. Known transforms are those of the mirrored world (the other
    camera of a stereo pair changes sides), lane points move with their pixels. Sets `flip`.

    Args:
        prob: how often.
    """

    def __init__(self, prob: float = 0.5):
        self.prob = prob

    def __call__(self, results: dict) -> dict:
        flip = bool(torch.rand(()) < self.prob)
        results = dict(results, flip=flip)
        if not flip:
            return results
        mirror = Image.Transpose.FLIP_LEFT_RIGHT
        results['frames'] = {i: frame.transpose(mirror) for i, frame in results['frames'].items()}
        width = results['ori_shape'][1]
        if 'cam2img' in results:
            results['cam2img'] = results['cam2img'].copy()
            results['cam2img'][0, 2] = width - 1 - results['cam2img'][0, 2]
        if 'transforms' in results:
            transforms = results['transforms'].items()
            results['transforms'] = {i: MIRROR @ known @ MIRROR for i, known in transforms}
        if 'lanes' in results:
            lanes = results['lanes']
            results['lanes'] = np.where(lanes >= 0, width - 1 - lanes, lanes)
        return results
