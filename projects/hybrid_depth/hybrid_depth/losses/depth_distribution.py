"""Loss of predicted categorical depth distributions."""

import torch
from torch import Tensor

FORMS = ('bce', 'cross_entropy')


def depth_distribution_loss(logits: Tensor, target: Tensor, form: str = 'bce') -> Tensor:
    """Cross-entropy between depth logits and a target distribution, in float32 even in autocast.

    Args:
        logits: (M, D, h, w).
        target: (M, D, h, w), sums over D to one, or to zero for pixels without a target.
        form: ``bce``, BEVDepth's binary cross-entropy of the softmax probabilities
            (docs/reference/bevdet.md, "Depth target and loss"), or ``cross_entropy`` of the
            log-softmax, whose gradient does not vanish when a bin saturates.

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
            'depth_distribution_loss: expected logits and target of one shape, got '
            f'{tuple(logits.shape)} and {tuple(target.shape)}'
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
