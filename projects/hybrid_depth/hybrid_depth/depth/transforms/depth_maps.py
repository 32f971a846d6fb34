"""Loading of depth maps, and the ground truth of an evaluation."""

from __future__ import annotations

from pathlib import Path

from mmengine.registry import TRANSFORMS

from ...datasets.depth_map_files import read_depth_png
from ...errors import DepthDataError


@TRANSFORMS.register_module()
class LoadDepthMaps:
    """Load the depth maps of frame 0: sets `depth_maps` {name: (H, W) float32 metres, 0 = none}.

    Comes after `LoadFrames`. `depth_paths` of the data set names the files, 16-bit PNGs of KITTI's
    format. Later transforms flip, crop and resize the maps with the frames.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: a sample without depth maps, or a map damaged or of another size than the
            image.
    """

    def __call__(self, results: dict) -> dict:
        if not results.get('depth_paths'):
            raise DepthDataError(
                'LoadDepthMaps: expected depth maps of the sample, got none; take '
                'KittiDepthDataset, or set depth_folders of the data set'
            )
        maps = {}
        for name, path in results['depth_paths'].items():
            if not Path(path).is_file():
                raise FileNotFoundError(f'expected the depth map {path}, which does not exist')
            maps[name] = read_depth_png(path)
            if maps[name].shape != tuple(results['ori_shape']):
                raise DepthDataError(
                    f'{path}: expected a depth map of the size of its image '
                    f'{results["img_paths"][0]}, {tuple(results["ori_shape"])}, got '
                    f'{maps[name].shape}'
                )
        return dict(results, depth_maps={**results.get('depth_maps', {}), **maps})


@TRANSFORMS.register_module()
class KeepTruth:
    """Keep the ground truth at its size for the evaluation: `gt_depth` becomes `truth`.

    For test pipelines, before cropping and resizing: `DepthMetric` without files compares with it.

    Raises:
        DepthDataError: the sample has no `gt_depth`.
    """

    def __call__(self, results: dict) -> dict:
        maps = dict(results.get('depth_maps', {}))
        if 'gt_depth' not in maps:
            raise DepthDataError(
                f'KeepTruth: expected gt_depth among the depth maps, got {sorted(maps)}; put '
                'LoadDepthMaps (or LoadLidarDepthMap) before it'
            )
        truth = maps.pop('gt_depth')
        return dict(results, truth=truth, depth_maps=maps)
