"""Packing of a sample into the inputs of a depth model."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.registry import TRANSFORMS
from mmengine.structures import BaseDataElement
from PIL import Image

from ...foundation.images import pixel_tensor


@TRANSFORMS.register_module()
class PackFrames:
    """Pack a sample into dict(inputs, data_samples).

    inputs: images {frame id: (3, H, W)} clean, augmented {frame id: (3, H, W)} for the networks
    (the same tensors without jitter), uint8 RGB; cam2img (3, 3) float32 in image
    pixels, if known; transforms {frame id: (4, 4)} float32 from the current camera's frame to that
    frame's camera, if known; affine, the same of affine views with their `view`, if there are any
    (`AffineFrames`); pyramid {scale: {frame id: (3, h, w)}}; depth maps (1, H, W) float32 metres,
    0 = none, by their names, such as gt_depth and physics_depth (`LoadDepthMaps`), and likewise
    ego_mask, 1 = the vehicle of the camera (`LoadEgoMask`); text (E,) or
    (2 * E,) (`LoadText`). data_samples: metainfo dataset, name, folder, frame, side, img_path,
    ori_shape, img_shape, flip, and crop if there is one; if present in the sample, the fields lanes
    (L, R), lane_rows (R,), patches (P, K, 2) and truth (H, W).

    Args:
        pyramid: number of smaller scales s = 1, 2, ... of the clean images, each half the size of
            the last one and resized from it by Pillow's LANCZOS filter, for losses at the decoder's
            scales (docs/reference/monodepth2.md, "Loss"). 0: models average areas instead.
    """

    def __init__(self, pyramid: int = 0):
        self.pyramid = pyramid

    def __call__(self, results: dict) -> dict:
        inputs = self._images(results)
        if self.pyramid:
            inputs['pyramid'] = self._smaller(results['frames'])
        if 'affine' in results:
            inputs['affine'] = dict(self._images(results['affine']), view=results['affine']['view'])
        if 'cam2img' in results:
            inputs['cam2img'] = torch.from_numpy(results['cam2img']).float()
        if 'transforms' in results:
            transforms = results['transforms'].items()
            inputs['transforms'] = {i: torch.from_numpy(known).float() for i, known in transforms}
        for name, depth in results.get('depth_maps', {}).items():
            inputs[name] = torch.from_numpy(np.ascontiguousarray(depth, np.float32))[None]
        if 'text' in results:
            inputs['text'] = results['text']
        return dict(inputs=inputs, data_samples=self._describe(results))

    def _smaller(self, frames: dict) -> dict:
        scales = {}
        for scale in range(1, self.pyramid + 1):
            frames = {
                i: frame.resize((frame.width // 2, frame.height // 2), Image.Resampling.LANCZOS)
                for i, frame in frames.items()
            }
            scales[scale] = {i: pixel_tensor(frame).contiguous() for i, frame in frames.items()}
        return scales

    @staticmethod
    def _images(results: dict) -> dict:
        images = {i: pixel_tensor(frame).contiguous() for i, frame in results['frames'].items()}
        augmented = images
        if 'augmented' in results:
            augmented = {
                i: pixel_tensor(frame).contiguous() for i, frame in results['augmented'].items()
            }
        return dict(images=images, augmented=augmented)

    @staticmethod
    def _describe(results: dict) -> BaseDataElement:
        height, width = results['ori_shape']
        sample = BaseDataElement(
            metainfo=dict(
                results['meta'],
                img_path=results['img_paths'][0],
                ori_shape=(height, width),
                img_shape=results.get('img_shape', (height, width)),
                flip=results.get('flip', False),
                sample_idx=results.get('sample_idx', 0),
            )
        )
        if 'crop' in results:
            sample.set_metainfo(dict(crop=results['crop']))
        for field in ('lanes', 'lane_rows', 'patches', 'truth'):
            if field in results:
                sample.set_field(torch.from_numpy(results[field]), field)
        return sample
