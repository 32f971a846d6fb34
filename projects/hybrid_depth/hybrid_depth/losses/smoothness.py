"""Edge-aware smoothness of disparity."""

from torch import Tensor


def edge_aware_smoothness(disparity: Tensor, image: Tensor) -> Tensor:
    """Edge-aware smoothness, mean |dx d| exp(-|dx I|) + mean |dy d| exp(-|dy I|).

    Monodepth, arXiv 1609.03677, Eq. 3.

    Args:
        disparity: (B, 1, H, W).
        image: (B, 3, H, W) in [0, 1]; |dI| is averaged over the channels.

    Returns:
        Scalar.

    Example:
        >>> disparity = torch.tensor([[[[1.0, 2.0], [1.0, 2.0]]]])
        >>> edge_aware_smoothness(disparity, torch.zeros(1, 3, 2, 2)).item()
        1.0
        >>> edge_aware_smoothness(disparity, disparity.expand(1, 3, 2, 2)).item()  # exp(-1)
        0.367...
    """
    total = disparity.new_zeros(())
    for dim in (-1, -2):
        edges = image.diff(dim=dim).abs().mean(1, keepdim=True)
        total = total + (disparity.diff(dim=dim).abs() * (-edges).exp()).mean()
    return total


def normalize_by_mean(disparity: Tensor) -> Tensor:
    """Mean-normalised disparity (B, 1, H, W) / (mean + 1e-7): its smoothness ignores its scale.

    Example:
        >>> normalize_by_mean(torch.tensor([[[[1.0, 3.0]]]]))
        tensor([[[[0.5000, 1.5000]]]])
    """
    return disparity / (disparity.mean((-2, -1), keepdim=True) + 1e-7)
