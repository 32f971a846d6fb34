"""Language-alignment losses: near-to-far ranking of image patches by depth prompts."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def language_ranking_loss(logits: Tensor, both_ways: bool = False) -> Tensor:
    """Ranking hinge with margin 0: sentence j fits patch j better than every nearer patch.

    sum over i < j of max(0, L_ij - L_jj) (Hybrid-depth, arXiv 2510.09320;
    docs/reference/hybrid_depth.md, "Stage 1 losses").

    Args:
        logits: (P, K, K) for P lines of patches: row = patch, column = sentence, both ordered from
            near to far.
        both_ways: also compare with farther patches (i > j); off in the official release.

    Returns:
        (P,) sum of the K (K - 1) / 2 terms (twice as many with `both_ways`) per line.

    Raises:
        ValueError: the number of patches differs from the number of sentences.

    Example:
        >>> logits = torch.tensor([[[2.0, 3.0], [0.0, 1.0]]])
        >>> language_ranking_loss(logits).tolist()  # sentence 1 fits patch 0 better than patch 1
        [2.0]
    """
    if logits.ndim != 3 or logits.shape[1] != logits.shape[2]:
        raise ValueError(
            'language_ranking_loss: expected logits (lines, K, K), as many patches per line as '
            f'sentences, got {tuple(logits.shape)}'
        )
    matching = logits.diagonal(dim1=1, dim2=2)
    terms = (logits - matching[:, None]).clamp(min=0)
    # The diagonal is zero, so the sum over both triangles is the sum over the matrix.
    return (terms if both_ways else terms.triu(1)).sum((1, 2))


def patch_contrast_loss(features: Tensor) -> Tensor:
    """Mean cosine similarity between the patches of a line, weighted by their distance in it.

    Mean over i, j of cos(v_i, v_j) |i - j| / (K - 1) (Hybrid-depth, arXiv 2510.09320;
    docs/reference/hybrid_depth.md, "Stage 1 losses").

    Args:
        features: (P, K, C) for P lines of K patches.

    Returns:
        (P,) one loss per line.

    Example:
        >>> round(patch_contrast_loss(torch.ones(1, 7, 4)).item(), 4)  # 112 / 6 / 49
        0.381
    """
    count = features.shape[1]
    unit = F.normalize(features, dim=-1)
    index = torch.arange(count, dtype=features.dtype, device=features.device)
    distance = (index[:, None] - index).abs() / max(count - 1, 1)
    return (distance * (unit @ unit.transpose(1, 2))).mean((1, 2))
