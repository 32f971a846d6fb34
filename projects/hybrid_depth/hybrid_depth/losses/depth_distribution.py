"""Loss of a predicted categorical depth distribution."""

import torch
from torch import Tensor

FORMS = ('bce', 'cross_entropy')


def depth_distribution_loss(logits: Tensor, target: Tensor, form: str = 'bce') -> Tensor:
    """Cross-entropy of depth logits and a target distribution, in float32 under autocast too.

    Args:
        logits: (M, D, h, w).
        target: (M, D, h, w), each pixel's bins sum to one, or to zero where there is no target.
        form: ``bce``, BEVDepth's binary cross-entropy of the soft-maxed bins
            (docs/reference/bevdet.md, "Depth target and loss"), or ``cross_entropy`` on the
            log-softmax, whose gradient stays when a bin saturates.

    Returns:
        Scalar: sum over bins and supervised pixels, divided by max(1, supervised pixels).

    Raises:
        ValueError: shapes differ or the form is unknown.

    Example:
        >>> logits = torch.zeros(1, 4, 1, 2)
        >>> target = torch.zeros(1, 4, 1, 2)
        >>> target[0, 1, 0, 0] = 1.0  # the second pixel has no target
        >>> loss = depth_distribution_loss(logits, target, form='cross_entropy')
        >>> round(loss.item(), 4)  # log(4)
        1.3863
    """
    if logits.shape != target.shape:
        raise ValueError(
            f'depth_distribution_loss: logits {tuple(logits.shape)} and target '
            f'{tuple(target.shape)} must have one shape'
        )
    if form not in FORMS:
        raise ValueError(f'depth_distribution_loss: form must be one of {FORMS}, got {form!r}')
    with torch.autocast(logits.device.type, enabled=False):
        target = target.float()
        supervised = (target.sum(1) > 0).float()
        log_prob = logits.float().log_softmax(1)
        loss = -target * log_prob
        if form == 'bce':
            # Not F.binary_cross_entropy: its CUDA kernel aborts the process on NaN
            # (github.com/HuangJunJie2017/BEVDet, issue 229).
            prob = log_prob.exp().clamp(max=1 - torch.finfo(log_prob.dtype).eps)
            loss = loss - (1 - target) * torch.log1p(-prob)
        return (loss.sum(1) * supervised).sum() / supervised.sum().clamp(min=1)
