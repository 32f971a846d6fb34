"""Conversion of a network's output to disparity."""

from torch import Tensor


def scale_disparity(output: Tensor, min_depth: float, max_depth: float) -> Tensor:
    """Disparity whose reciprocal is `max_depth` where the output is 0, `min_depth` where it is 1.

    1 / max_depth + (1 / min_depth - 1 / max_depth) * output (docs/reference/monodepth2.md,
    "Disparity and depth"). Outputs above 1, possible for a decoder without sigmoid, give depths
    below `min_depth`.

    Args:
        output: decoder output, >= 0.
        min_depth, max_depth: depth range, in one unit.

    Example:
        >>> 1 / scale_disparity(torch.tensor([0.0, 1.0]), min_depth=0.1, max_depth=100.0)
        tensor([100.0000,   0.1000])
    """
    nearest, farthest = 1 / min_depth, 1 / max_depth
    return farthest + (nearest - farthest) * output
