"""A depth metric: mean |log(predicted / true depth)| after median scaling."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS

from hybrid_depth.depth.evaluation.files import DepthMaps


@METRICS.register_module()
class LogError(BaseMetric):
    default_prefix = 'depth'

    def __init__(self, truth: str, **kwargs) -> None:
        super().__init__(**kwargs)
        self.truths = DepthMaps(truth)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            truth = self.truths[self.truths.index(sample['name'])]
            disparity = sample['pred_disparity'][0].cpu().numpy()
            disparity = cv2.resize(disparity, truth.shape[::-1])
            log_ratio = -np.log((disparity * truth)[truth > 0])
            self.results.append(np.abs(log_ratio - np.median(log_ratio)).mean())

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return dict(log_error=float(np.mean(results)))
