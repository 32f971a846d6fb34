"""Metric of language alignment: order accuracy of patches along a line."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS


@METRICS.register_module()
class PatchOrderMetric(BaseMetric):
    """Accuracy with which depth prompts order two patches of a line by distance.

    Data samples have `patch_logits` (P, K, K) of `LanguageAlignment`: row = patch, column =
    prompt, both near to far. Results, with the prefix 'patches', over all pairs i < j of a line:

    - order_accuracy: the two patches match their prompts better than with swapped prompts,
      L_ii + L_jj > L_ij + L_ji; 0.5 is chance.
    - hinge_accuracy: prompt j matches patch j better than patch i, L_jj > L_ij, the condition of
      the ranking loss; 0.5 is chance. It does not depend on the first prompt.
    - lines: number of lines.

    Equal patches, such as points in one cell, count as wrong.

    Raises:
        ValueError: no sample has a line of patches.
    """

    default_prefix = 'patches'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count correctly ordered pairs of every sample."""
        for sample in data_samples:
            logits = sample['patch_logits'].detach().float().cpu()
            i, j = torch.triu_indices(*logits.shape[1:], offset=1)
            matching = logits.diagonal(dim1=1, dim2=2)
            matched = matching[:, i] + matching[:, j] > logits[:, i, j] + logits[:, j, i]
            satisfied = matching[:, j] > logits[:, i, j]
            self.results.append(
                dict(
                    lines=len(logits),
                    pairs=matched.numel(),
                    matched=matched.sum().item(),
                    satisfied=satisfied.sum().item(),
                )
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Accuracies over all pairs."""
        names = ('lines', 'pairs', 'matched', 'satisfied')
        total = {name: sum(entry[name] for entry in results) for name in names}
        if not total['pairs']:
            raise ValueError(
                f'PatchOrderMetric: expected lines of patches, got none in {len(results)} images'
            )
        return dict(
            order_accuracy=total['matched'] / total['pairs'],
            hinge_accuracy=total['satisfied'] / total['pairs'],
            lines=float(total['lines']),
        )
