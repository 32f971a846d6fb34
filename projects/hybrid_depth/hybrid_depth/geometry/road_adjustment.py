"""Joint robust adjustment of a road and the motions of a camera over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .camera_motion import CameraMotion, Measurements
from .ground_plane_fit import GroundPlaneFit
from .road_surface import SIZE, nearest_plane, surface_prior

_ROUNDS = 20
_UNEVEN = 0.005  # of the camera's height, standard deviation of the road's in a cell of the image
_GATE = 20.5  # squared distance that 0.1 % of normal errors exceed, 5 dimensions


@dataclass(frozen=True)
class Adjustment:
    """Result of `adjust`.

    Attributes:
        fit: plane nearest to the road, with its uncertainty.
        surface: (5,) of the road.
        motions: adjusted.
    """

    fit: GroundPlaneFit
    surface: np.ndarray
    motions: list[CameraMotion]


def adjust(prior: GroundPlaneFit, motions: Sequence[CameraMotion]) -> Adjustment:
    """Most probable road and motions of a camera over it.

    Gauss-Newton steps with Tukey's biweight. The prior of the road is part of it, so what the
    images do not show stays as expected. The covariance counts the errors of corners in a cell of
    the first image, in all images together, as one, and those of each other image as well; the
    road is uneven in each cell (docs/reference/ground_plane.md, "Shape of the road").

    Args:
        prior: of the plane below the vehicle.
        motions: with their corners, at least one.

    Returns:
        The plane is the prior if the road differs from it more than 99.9 % of roads would.
    """
    expected, spread = surface_prior(prior)
    information, surface = np.linalg.inv(spread), expected
    for _ in range(_ROUNDS):
        found = [x.measurements(surface, 1 / len(motions)) for x in motions]
        reduced = [_reduce(x) for x in found]
        normal = information + sum(x[0] for x in reduced)
        pull = information @ (surface - expected) + sum(x[1] for x in reduced)
        step = -np.linalg.solve(normal, pull)
        steps = [own + back @ step for _, _, back, own in reduced]
        surface = surface + step
        motions = [x.moved(own) for x, own in zip(motions, steps, strict=True)]
        if max(np.abs(step).max(), *(np.abs(x).max() for x in steps)) < 1e-8:
            break
    difference = surface - expected
    if not difference @ information @ difference <= _GATE:
        return Adjustment(prior, expected, motions)
    measured = normal - information
    scatter = _scatter(surface, found, reduced)
    # Weights take corners as independent. If they scatter more, all count as much less.
    inverse = np.linalg.inv(normal)
    excess = max(np.trace(inverse @ scatter) / np.trace(inverse @ measured), 1.0)
    inverse = np.linalg.inv(measured / excess + information)
    surface = expected + inverse @ normal @ difference / excess
    covariance = inverse @ (scatter / excess**2 + information) @ inverse
    plane, derivative = nearest_plane(surface)
    used = sum(int((x.weights[: len(x.cells)] > 0).sum()) for x in found)
    fit = GroundPlaneFit(plane, derivative @ covariance @ derivative.T, used)
    return Adjustment(fit, surface, motions)


def _reduce(found: Measurements) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Normal equations of the road without the motion (Schur's complement).

    Returns:
        Matrix (5, 5) and right side (5,) of the road; the motion's step is back @ step + own.
    """
    weighted = found.jacobian * found.weights[:, None]
    normal, right = weighted.T @ found.jacobian, weighted.T @ found.residual
    motion = normal[SIZE:, SIZE:] + np.diag(np.diag(normal)[SIZE:] * 1e-9)
    solved = np.linalg.solve(motion, np.column_stack((normal[SIZE:, :SIZE], right[SIZE:])))
    back, own = -solved[:, :SIZE], -solved[:, SIZE]
    mixed = normal[:SIZE, SIZE:]
    return normal[:SIZE, :SIZE] + mixed @ back, right[:SIZE] + mixed @ own, back, own


def _scatter(
    surface: np.ndarray, found: Sequence[Measurements], reduced: Sequence[tuple]
) -> np.ndarray:
    """(5, 5) covariance of the pull on the road, from how the corners differ."""
    cells: dict[int, np.ndarray] = {}
    total = np.zeros((SIZE, SIZE))
    for x, (_, _, back, _) in zip(found, reduced, strict=True):
        scores = x.scores()
        scores = scores[:, :SIZE] + scores[:, SIZE:] @ back
        # pull of road that is higher than its surface, the same in all images
        uneven = x.jacobian * (x.weights * (x.jacobian[:, :3] @ surface[:3]))[:, None] * _UNEVEN
        uneven = uneven[:, :SIZE] + uneven[:, SIZE:] @ back
        corners = len(x.cells)
        for row in (scores[:corners].sum(0), *scores[corners:]):
            total += np.outer(row, row)
        keys, owner = np.unique(x.cells, return_inverse=True)
        sums = np.zeros((len(keys), 2, SIZE))
        np.add.at(sums, owner, np.stack((scores, uneven), 1)[:corners])
        for key, row in zip(keys.tolist(), sums, strict=True):
            cells[key] = cells.get(key, 0) + row
    sums = np.stack(list(cells.values()))
    few = len(sums) / max(len(sums) - SIZE, 1)  # that the surface is fitted to
    sums[:, 0] *= np.sqrt(few)
    return total + np.einsum('cki,ckj->ij', sums, sums)
