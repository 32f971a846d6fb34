"""Horizontal flip of all frames of a sample."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.registry import TRANSFORMS
from PIL import Image

MIRROR = np.diag([-1.0, 1, 1, 1])


@TRANSFORMS.register_module()
class FlipFrames:
    """Horizontal flip of all frames of a sample; comes before resizing.

    The principal point becomes width - 1 - cx; relative intrinsics (Monodepth2's) are unchanged, as
    in the release. Known transforms, depth maps and lane points are mirrored too (the other camera
    of a stereo pair changes sides). Sets `flip`.

    Args:
        prob: probability of a flip.
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
        if 'depth_maps' in results:
            maps = results['depth_maps'].items()
            results['depth_maps'] = {name: depth[:, ::-1] for name, depth in maps}
        if 'lanes' in results:
            lanes = results['lanes']
            results['lanes'] = np.where(lanes >= 0, width - 1 - lanes, lanes)
        return results
