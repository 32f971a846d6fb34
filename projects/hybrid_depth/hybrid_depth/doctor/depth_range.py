"""Check that every depth bin of a detector can get a target."""

from __future__ import annotations

from mmengine.config import Config

from ..config_errors import paths_of
from ..errors import ConfigError


def check_depth_range(cfg: Config) -> None:
    """Compare the depth bins of a detector with the range of LiDAR depth in its training data.

    Raises:
        ConfigError: bins beyond the range, which would never get a target.
    """
    bins = [node['depth_bins'] for _, node in paths_of(cfg.get('model'), 'depth_bins')]
    for path, transform in paths_of(cfg.get('train_dataloader'), 'type', 'LoadLidarDepth'):
        near, far = transform.get('depth_range', (1.0, 60.0))
        for item in bins:
            start, stop = item.get('start', near), item.get('stop', far)
            if start < near or stop > far:
                raise ConfigError(
                    f'{cfg.filename}: expected depth_bins of the model within the depth_range '
                    f'({near:g}, {far:g}) of LoadLidarDepth (train_dataloader.{path}), got '
                    f'{start:g} to {stop:g}: bins beyond it never get a target. Set both alike'
                )
