"""Gradients of the head's L1 loss, where rounding may flip the sign of a small residual.

The gradient of |prediction - target| is a sign: where both nearly agree, another rounding of the
features has the other sign, and every gradient norm behind the head changes by the share of a box.
Losses are equal up to rounding, so they do not show it.
"""

from collections.abc import Callable
from itertools import chain, combinations

import torch

SMALL = 1e-4  # residual that rounding of a whole model (2e-5 of up to 5) may bring below zero
BOX_MAPS = ('reg', 'height', 'dim', 'rot', 'vel')  # in the order of the targets
Maps = tuple[list[dict[str, torch.Tensor]]]


def head_losses(head, maps: Maps, truth) -> dict[str, torch.Tensor]:
    """Losses of a head's outputs, which are not changed (the sigmoid is in place)."""
    copies = tuple([{name: x.clone() for name, x in one.items()} for one in task] for task in maps)
    return head.loss_by_feat(copies, [truth])


def small_residuals(head, maps: Maps, truth) -> list[tuple[int, int, float]]:
    """(box, code, prediction) of small residuals; one task, one sample."""
    _, (targets,), (cells,), (valid,) = head.get_targets([truth])
    predicted = torch.cat([maps[0][0][name].detach() for name in BOX_MAPS], 1).flatten(2)[0]
    predicted = predicted[:, cells[0]].T
    small = (predicted - targets[0]).abs() < SMALL
    places = (small & valid[0].bool().unsqueeze(1)).nonzero().tolist()
    return [(box, code, predicted[box, code].item()) for box, code in places]


def flipped_losses(head, maps: Maps, truth, flips) -> dict[str, torch.Tensor]:
    """Losses whose residuals at `flips` have the opposite sign and the same magnitude."""
    heatmaps, boxes, cells, valid = head.get_targets([truth])
    boxes = [boxes[0].clone()]
    for box, code, predicted in flips:
        boxes[0][0, box, code] = 2 * predicted - boxes[0][0, box, code]
    get_targets, head.get_targets = head.get_targets, lambda _: (heatmaps, boxes, cells, valid)
    try:
        return head_losses(head, maps, truth)
    finally:
        head.get_targets = get_targets


def gradient_norms(
    head, maps: Maps, truth, measure: Callable[[dict], dict], fits: Callable[[dict], bool]
) -> dict[str, torch.Tensor]:
    """Norms measured by `measure` for the losses, or for flipped signs accepted by `fits`.

    If no flipped signs are accepted, these are the norms without flips.
    """
    plain = measure(head_losses(head, maps, truth))
    if fits(plain):
        return plain
    places = small_residuals(head, maps, truth)
    subsets = chain(*(combinations(places, n + 1) for n in range(len(places))))
    found = (measure(flipped_losses(head, maps, truth, flips)) for flips in subsets)
    return next(filter(fits, found), plain)
