"""Pictures of a depth model's test run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement

from ..datasets.picture_files import open_picture
from .depth import DepthResult
from .depth_writer import DepthWriter


@HOOKS.register_module()
class DepthPictureHook(Hook):
    """Write each tested picture with its depth in colours, as `hybrid-depth infer-depth` does.

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
            size = tuple(sample.ori_shape)
            disparity = sample.pred_disparity[None].float().cpu()
            disparity = F.interpolate(disparity, size, mode='bilinear')[0, 0].numpy()
            picture = np.asarray(open_picture(sample.img_path))
            self.writer.write(DepthResult(sample.name, picture, disparity))
