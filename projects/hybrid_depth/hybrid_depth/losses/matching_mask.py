"""Where the depth of matched frames can be trusted."""

from torch import Tensor


def depths_agree(matched: Tensor, reference: Tensor) -> Tensor:
    """Pixels where neither depth is twice the other or more.

    Matching takes a moving object for one that is nearer or farther away; a network that sees a
    single frame does not (ManyDepth, arXiv 2104.14540, section 3.3; docs/reference/manydepth.md,
    "Losses").

    Args:
        matched, reference: depths > 0 of one shape.

    Returns:
        bool of that shape.

    Example:
        >>> depths_agree(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([0.4, 1.5, 2.0])).tolist()
        [False, True, False]
    """
    nearer = (matched - reference) / reference < 1
    farther = (reference - matched) / matched < 1
    return nearer & farther
