"""Hook for visualizations of predicted depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement

from ..datasets.image_files import open_image
from ..geometry import DepthMap
from .depth import depth_result
from .depth_writer import DepthWriter


@HOOKS.register_module()
class DepthVisualizationHook(Hook):
    """Hook that writes each test image with its depth in colours, as `hybrid-depth infer-depth`.

    Needs the samples of `PackFrames` and the predictions of a `DepthEstimator`.

    Args:
        out_dir: folder for `color/<name>.png`.
    """

    priority = 'LOW'

    def __init__(self, out_dir: str) -> None:
        self.writer = DepthWriter(out_dir, numbers='none')

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: Sequence[BaseDataElement]
    ) -> None:
        for sample in outputs:
            field = 'pred_disparity' if sample.kind == 'disparity' else 'pred_depth'
            prediction = DepthMap(sample.get(field)[None], sample.kind)
            image = np.asarray(open_image(sample.img_path))
            self.writer.write(depth_result(sample.name, image, prediction))
