"""Depth error metrics, rank correlation and flip averaging."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

KITTI_METRICS = ('abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'a1', 'a2', 'a3')
ALL_METRICS = (*KITTI_METRICS, 'log10')
_ROOTS = ('rmse', 'rmse_log')  # squared before averaging over pixels
_RANKED_PIXELS = 2000


def depth_errors(
    truth: np.ndarray, prediction: np.ndarray, log_truth: np.ndarray | None = None
) -> np.ndarray:
    """Depth metrics of Eigen et al. (arXiv 1406.2283) and the log10 error of Make3D.

    Definitions: docs/reference/depth_protocols.md, "Metrics".
    abs_rel mean(|p - t| / t), sq_rel mean((p - t)² / t), rmse, rmse_log with natural logarithms,
    a1 to a3 the share of pixels where max(p / t, t / p) < 1.25, 1.25², 1.25³, log10
    mean(|log10 p - log10 t|).

    Args:
        truth, prediction: (N,) positive depths of the same pixels, metres.
        log_truth: (N,) natural logarithms of `truth`, if they are known.

    Returns:
        (8,) float64 in the order of `ALL_METRICS`.

    Example:
        >>> errors = depth_errors(np.array([10.0, 20.0]), np.array([11.0, 20.0]))
        >>> dict(zip(ALL_METRICS[:4], errors.round(3).tolist()))
        {'abs_rel': 0.05, 'sq_rel': 0.05, 'rmse': 0.707, 'rmse_log': 0.067}
    """
    difference = prediction - truth
    logarithm = np.log(prediction) - (np.log(truth) if log_truth is None else log_truth)
    squared = difference**2
    worse = np.maximum(truth / prediction, prediction / truth)
    return np.array(
        [
            np.mean(np.abs(difference) / truth),
            np.mean(squared / truth),
            np.sqrt(np.mean(squared)),
            np.sqrt(np.mean(logarithm**2)),
            *(np.count_nonzero(worse < 1.25**power) / len(truth) for power in (1, 2, 3)),
            np.mean(np.abs(logarithm)) / np.log(10),
        ],
        dtype=np.float64,
    )


def mean_errors(errors: np.ndarray, pixels: np.ndarray | None = None) -> np.ndarray:
    """Mean of `depth_errors` over images, or over all pixels.

    Over pixels, RMS errors are averaged as squares; over images, by convention, as roots.

    Args:
        errors: (images, 8).
        pixels: (images,) pixel counts for the mean over pixels; None for the mean over images.
    """
    if pixels is None:
        return errors.mean(axis=0)
    powers = np.where(np.isin(ALL_METRICS, _ROOTS), 2, 1)
    return np.average(errors**powers, axis=0, weights=pixels) ** (1 / powers)


def rank_correlation(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Spearman's rank correlation over up to 2000 evenly spaced pixels; 0 where undefined.

    Near -1, near and far are swapped: disparity was given as depth, or the reverse.

    Example:
        >>> depth = np.linspace(1, 80, 100)
        >>> round(rank_correlation(depth, 1 / depth), 3)  # disparity in the place of depth
        -1.0
    """
    step = -(-len(truth) // _RANKED_PIXELS)
    ranks = [_ranks(values[::step]) for values in (truth, prediction)]
    if len(ranks[0]) < 2 or np.ptp(truth[::step]) == 0 or np.ptp(prediction[::step]) == 0:
        return 0.0
    number = len(ranks[0])
    return 1 - 6 * int(((ranks[0] - ranks[1]) ** 2).sum()) / (number * (number**2 - 1))


def _ranks(values: np.ndarray) -> np.ndarray:
    ranks = np.empty(len(values), int)
    ranks[np.argsort(values)] = np.arange(len(values))
    return ranks


def binned_sums(truth: np.ndarray, prediction: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Error sums over the pixels of every distance bin [edge, next edge).

    Returns:
        (4, bins): pixels, sum of |p - t| / t, sum of (p - t)², pixels with ratio < 1.25.
    """
    bins = len(edges) - 1
    exact = truth.astype(np.float64)
    index = np.zeros(len(truth), np.int8)  # number of edges at or below; 0 and bins + 1 are outside
    for edge in edges:
        index += exact >= edge
    index = index.astype(np.intp)
    difference = (prediction - truth).astype(np.float64)
    good = np.maximum(truth / prediction, prediction / truth) < 1.25
    sums = (None, np.abs(difference) / truth, difference**2, good)
    counts = [np.bincount(index, values, minlength=bins + 2) for values in sums]
    return np.stack(counts)[:, 1 : bins + 1].astype(np.float64)


def binned_table(sums: np.ndarray, edges: Sequence[float]) -> list[dict]:
    """Rows of the distance table from summed `binned_sums`: means over the pixels of all images."""
    rows = []
    for low, high, (pixels, relative, squared, good) in zip(
        edges[:-1], edges[1:], sums.T, strict=True
    ):
        row = dict(metres=[float(low), float(high)], pixels=int(pixels))
        if pixels:
            row |= dict(
                abs_rel=float(relative / pixels),
                rmse=float(np.sqrt(squared / pixels)),
                a1=float(good / pixels),
            )
        rows.append(row)
    return rows


def range_scores(rows: Sequence[dict], names: Sequence[str] = ('abs_rel', 'a1')) -> dict:
    """Scores of `binned_table`'s rows for logs, by range and metric; of ranges that have pixels.

    Example:
        >>> range_scores([dict(metres=[0.0, 10.0], pixels=2, abs_rel=0.1, a1=1.0)], ['abs_rel'])
        {'0-10m/abs_rel': 0.1}
    """
    return {
        '{:g}-{:g}m/{}'.format(*row['metres'], name): row[name]
        for row in rows
        for name in names
        if name in row
    }


def merge_flipped(disparity: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Flip post-processing: mean of a disparity map and the mirrored image's (arXiv 1609.03677).

    The left 5 % are from the mirrored image, the right 5 % from the original one, with linear ramps
    of 5 % to the mean of both in between (docs/reference/depth_protocols.md, "Flip averaging").

    Args:
        disparity: (..., H, W) of the image.
        flipped: (..., H, W) of the mirrored image, mirrored back.

    Returns:
        (..., H, W) float64.

    Example:
        >>> merged = merge_flipped(np.zeros((1, 100)), np.ones((1, 100)))
        >>> merged[0, [0, 50, 99]].tolist()
        [1.0, 0.5, 0.0]
    """
    x = np.linspace(0, 1, disparity.shape[-1])
    left = 1 - np.clip(20 * (x - 0.05), 0, 1)
    right = left[::-1]
    return right * disparity + left * flipped + (1 - left - right) * 0.5 * (disparity + flipped)
