"""Does language alignment know near from far? Scores the order of patches along a line."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS


@METRICS.register_module()
class PatchOrderMetric(BaseMetric):
    """How often the sentences tell the nearer of two patches of one line from the farther.

    Data samples carry `patch_logits` (P, K, K) of `LanguageAlignment`: row = patch, column =
    sentence, both near to far. Results, under the prefix 'patches', over all pairs i < j of a line:

    - order_accuracy: the two patches and their sentences fit better than if swapped,
      L_ii + L_jj > L_ij + L_ji; 0.5 is chance.
    - hinge_accuracy: sentence j fits patch j better than patch i, L_jj > L_ij, which is what the
      ranking loss asks for; 0.5 is chance. It can be 1 with the first sentence fitting nothing.
    - lines: how many there were.

    Equal patches, such as points in one cell, count as wrong.

    Raises:
        ValueError: no sample has a line of patches.
    """

    default_prefix = 'patches'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count the pairs of every sample."""
        for sample in data_samples:
            logits = sample['patch_logits'].detach().float().cpu()
            i, j = torch.triu_indices(*logits.shape[1:], offset=1)
            own = logits.diagonal(dim1=1, dim2=2)
            matched = own[:, i] + own[:, j] > logits[:, i, j] + logits[:, j, i]
            satisfied = own[:, j] > logits[:, i, j]
            self.results.append(
                dict(
                    lines=len(logits),
                    pairs=matched.numel(),
                    matched=matched.sum().item(),
                    satisfied=satisfied.sum().item(),
                )
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Shares over all pairs."""
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
