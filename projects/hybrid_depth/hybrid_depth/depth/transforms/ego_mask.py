"""Loading of the mask of the vehicle itself."""

from __future__ import annotations

import numpy as np
from mmengine.registry import TRANSFORMS

from ...datasets.ego_masks import read_ego_mask
from ...errors import DepthDataError


@TRANSFORMS.register_module()
class LoadEgoMask:
    """Add the `ego_mask` of the camera to the maps of a sample: (H, W) float32, 1 = the vehicle.

    Comes after `LoadFrames`. Later transforms flip, crop and resize it with the frames; its pixels
    do not count in the photometric loss.

    Raises:
        FileNotFoundError, DepthDataError: see `read_ego_mask`; also a sample without a mask.
    """

    def __call__(self, results: dict) -> dict:
        if 'ego_mask_path' not in results:
            raise DepthDataError(
                'LoadEgoMask: expected the mask of the camera in the sample, got none; set '
                'ego_masks of the data set'
            )
        height, width = results['ori_shape']
        mask = read_ego_mask(results['ego_mask_path'], (width, height))
        maps = {**results.get('depth_maps', {}), 'ego_mask': mask.astype(np.float32)}
        return dict(results, depth_maps=maps)
