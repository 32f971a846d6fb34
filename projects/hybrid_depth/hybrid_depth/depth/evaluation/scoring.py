"""Evaluation of depth maps by a protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from ...errors import DepthDataError
from .metrics import (
    ALL_METRICS,
    binned_sums,
    binned_table,
    depth_errors,
    mean_errors,
    rank_correlation,
)
from .predicted_maps import resized_depth
from .protocols import KINDS, DepthKind, DepthProtocol

_SWAPPED = -0.3  # at a lower rank correlation, near and far are swapped


@dataclass
class ImageScore:
    """Scores of one image.

    Attributes:
        errors: (8,) in the order of `ALL_METRICS`.
        unscaled_errors, median_errors: the same without any scaling, and with the median of this
            image, whatever the protocol does.
        ratio: median of the ground truth / median of the prediction, before median scaling.
        pixels: number of compared pixels.
        bins: (4, bins) from `binned_sums`.
        rank_correlation: see `rank_correlation`.
        motion: scores of the 'moving' and 'static' pixels with the scale of the whole image, None
            where there are none; empty where motion is unknown.
    """

    errors: np.ndarray
    unscaled_errors: np.ndarray
    median_errors: np.ndarray
    ratio: float
    pixels: int
    bins: np.ndarray
    rank_correlation: float
    motion: dict[str, ImageScore | None] = field(default_factory=dict)


def check_kind(kind: str, protocol: DepthProtocol) -> None:
    """Reject kinds that a protocol cannot evaluate.

    Raises:
        DepthDataError: unknown kind, or depth without a scale for a protocol in metres.
    """
    if kind not in KINDS:
        raise DepthDataError(f'expected a kind among {KINDS}, got {kind!r}')
    if kind == 'relative' and protocol.scaling == 'none':
        raise DepthDataError(
            f'protocol {protocol.name} compares metres; relative depth needs a protocol that '
            'scales it (scaling median or set_median)'
        )


def valid_pixels(truth: np.ndarray, protocol: DepthProtocol) -> np.ndarray:
    """(H, W) mask of the ground truth pixels that a protocol compares."""
    low, high = protocol.truth_range
    rows, columns = truth.shape
    top, bottom, left, right = protocol.crop
    window = (
        slice(int(top * rows), int(bottom * rows)),
        slice(int(left * columns), int(right * columns)),
    )
    mask = np.zeros(truth.shape, bool)
    mask[window] = truth[window] > low
    if high is not None:
        mask[window] &= truth[window] < high
    return mask


def _median(values: np.ndarray, which: str) -> float:
    """`np.median`, or the lower of the middle two; in half of its time."""
    middle = len(values) // 2
    parts = np.partition(values, middle)
    if len(values) % 2:
        return float(parts[middle])
    lower = parts[:middle].max()
    return float(lower if which == 'lower' else np.mean([lower, parts[middle]]))


def _ratio(truth: np.ndarray, unscaled: np.ndarray, protocol: DepthProtocol) -> float:
    return _median(truth, protocol.median) / _median(unscaled, protocol.median)


@dataclass
class ComparedPixels:
    """Compared pixels of one image, (N,) each.

    Attributes:
        truth: metres.
        unscaled: predicted depth times the protocol's factor.
        depths: `unscaled` after scaling and clamping, the input of the metrics.
        ratio: median of `truth` / median of `unscaled`.
        mask: (H, W) where they are in the ground truth, N of them True.
    """

    truth: np.ndarray
    unscaled: np.ndarray
    depths: np.ndarray
    ratio: float
    mask: np.ndarray


def compared_pixels(
    prediction: np.ndarray,
    truth: np.ndarray,
    protocol: DepthProtocol,
    kind: DepthKind,
    scale: float | None = None,
    name: str = 'prediction',
) -> ComparedPixels | None:
    """Select, scale and clamp the pixels compared by `score_image`; arguments as there."""
    mask = np.zeros(truth.shape, bool)
    rows = int(protocol.truth_rows * len(truth))
    truth = truth[:rows]
    mask[:rows] = valid_pixels(truth, protocol)
    places = np.flatnonzero(mask)
    if not len(places):
        return None
    compared = truth.ravel()[places]
    unscaled = resized_depth(prediction, truth.shape, kind, protocol, name, places)
    unscaled = unscaled * protocol.factor
    ratio = _ratio(compared, unscaled, protocol)
    depths = unscaled
    if protocol.scaling == 'median':
        depths = depths * depths.dtype.type(ratio)
    elif protocol.scaling == 'set_median' and scale is not None:
        depths = depths * depths.dtype.type(scale)
    return ComparedPixels(compared, unscaled, np.clip(depths, *protocol.clamp), ratio, mask)


def score_image(
    prediction: np.ndarray,
    truth: np.ndarray,
    protocol: DepthProtocol,
    kind: DepthKind,
    scale: float | None = None,
    name: str = 'prediction',
    moving: np.ndarray | None = None,
) -> ImageScore | None:
    """Scores of one map against its ground truth.

    Args:
        prediction: (h, w) of any size.
        truth: (H, W) metres, 0 without a measurement.
        scale: for 'set_median', the scale of the set; None for no scaling.
        name: name in error messages.
        moving: (H, W) bool, pixels of moving objects; None where they are unknown.

    Returns:
        None if the ground truth has no valid pixel.

    Raises:
        DepthDataError: see `resized_depth`; `moving` has another size than the ground truth.
    """
    if moving is not None and moving.shape != truth.shape:
        raise DepthDataError(
            f'{name}: expected a mask of moving pixels of the shape {truth.shape} of the ground '
            f'truth, got {moving.shape}'
        )
    pixels = compared_pixels(prediction, truth, protocol, kind, scale, name)
    if pixels is None:
        return None
    score = _score(pixels, protocol, pixels.ratio)
    if moving is not None:
        moves = moving[pixels.mask]
        for part, chosen in dict(moving=moves, static=~moves).items():
            score.motion[part] = None
            if chosen.any():
                ratio = _ratio(pixels.truth[chosen], pixels.unscaled[chosen], protocol)
                score.motion[part] = _score(pixels, protocol, ratio, chosen)
    return score


def _score(
    pixels: ComparedPixels,
    protocol: DepthProtocol,
    ratio: float,
    chosen: np.ndarray | slice = slice(None),
) -> ImageScore:
    """Scores of the chosen ones of N pixels, with the scale of all; `ratio` is theirs."""
    truth, unscaled, depths = (x[chosen] for x in (pixels.truth, pixels.unscaled, pixels.depths))
    logarithm = np.log(truth)
    errors = depth_errors(truth, depths, logarithm)

    def scaled_errors(scaling: str, factor: float) -> np.ndarray:
        if scaling == protocol.scaling:
            return errors
        scaled = np.clip(unscaled * unscaled.dtype.type(factor), *protocol.clamp)
        return depth_errors(truth, scaled, logarithm)

    return ImageScore(
        errors=errors,
        unscaled_errors=scaled_errors('none', 1),
        median_errors=scaled_errors('median', pixels.ratio),
        ratio=ratio,
        pixels=len(truth),
        bins=binned_sums(truth, depths, protocol.bins),
        rank_correlation=rank_correlation(truth, unscaled),
    )


def score_set(
    pairs: Callable[[], Iterable[tuple]],
    protocol: DepthProtocol,
    kind: DepthKind,
) -> dict:
    """Scores of a set of images.

    Args:
        pairs: returns an iterator over (name, prediction, truth) of all images, or (name,
            prediction, truth, moving) as of `score_image`; called twice if the scale is computed
            over the set.

    Raises:
        DepthDataError: see `check_kind`, `resized_depth` and `summarise`.
    """
    check_kind(kind, protocol)

    def scores(scale: float | None) -> list[ImageScore | None]:
        return [
            score_image(prediction, truth, protocol, kind, scale, name, *moving)
            for name, prediction, truth, *moving in pairs()
        ]

    found = scores(None)
    if protocol.scaling == 'set_median':
        ratios = [score.ratio for score in found if score is not None]
        found = scores(float(np.median(ratios)) if ratios else None)
    return summarise(found, protocol, kind)


def summarise(scores: list[ImageScore | None], protocol: DepthProtocol, kind: DepthKind) -> dict:
    """Result of a set of images, serialisable as JSON.

    Returns:
        protocol (all its fields), kind, images, images_without_truth, pixels, metrics (by name),
        other_scaling (the metrics without any scaling, `unscaled`, and scaled by each image's
        median, `median_scaled`, except where it is what the protocol does), scale (median of the
        ratios truth / prediction, `spread` = standard deviation of ratios over their median),
        distances (rows of `binned_table`), rank_correlation (mean). Where motion is known also
        motion: for 'moving' and 'static' pixels the images with such pixels, pixels, metrics,
        scale and distances of these images, or images=0 alone.

    Raises:
        DepthDataError: no image has a valid pixel.
    """
    kept = [score for score in scores if score is not None]
    if not kept:
        raise DepthDataError(
            f'protocol {protocol.name}: expected ground truth in {protocol.truth_range} m, got no '
            f'such pixel in {len(scores)} images. Is the ground truth in metres?'
        )
    result = dict(
        protocol=protocol.as_dict(),
        kind=kind,
        images_without_truth=len(scores) - len(kept),
        rank_correlation=float(np.mean([score.rank_correlation for score in kept])),
        **_averages(kept, protocol),
        other_scaling=_other_scaling(kept, protocol),
    )
    known = [score.motion for score in kept if score.motion]
    if known:
        parts = {part: [m[part] for m in known if m[part] is not None] for part in known[0]}
        result['motion'] = {
            part: _averages(found, protocol) if found else dict(images=0)
            for part, found in parts.items()
        }
    return result


def _averages(kept: list[ImageScore], protocol: DepthProtocol) -> dict:
    """Counts, metrics, scale and errors by distance of images."""
    ratios = np.array([score.ratio for score in kept])
    median = float(np.median(ratios))
    return dict(
        images=len(kept),
        pixels=int(sum(score.pixels for score in kept)),
        metrics=_mean(kept, protocol, 'errors'),
        scale=dict(median=median, spread=float(np.std(ratios / median))),
        distances=binned_table(sum(score.bins for score in kept), protocol.bins),
    )


def _mean(kept: list[ImageScore], protocol: DepthProtocol, errors: str) -> dict[str, float]:
    """Metrics of the protocol by name, mean over images or pixels of one kind of errors."""
    weights = None
    if protocol.averaging == 'pixels':
        weights = np.array([score.pixels for score in kept])
    means = mean_errors(np.stack([getattr(score, errors) for score in kept]), weights)
    return {name: float(means[ALL_METRICS.index(name)]) for name in protocol.metrics}


def _other_scaling(kept: list[ImageScore], protocol: DepthProtocol) -> dict[str, dict]:
    """Metrics with the scalings that the protocol does not have."""
    found = {}
    if protocol.scaling != 'none':
        found['unscaled'] = _mean(kept, protocol, 'unscaled_errors')
    if protocol.scaling != 'median':
        found['median_scaled'] = _mean(kept, protocol, 'median_errors')
    return found


def swapped_kind_warning(result: dict) -> str | None:
    """Warning that near and far are swapped in a result, or None."""
    if result['rank_correlation'] > _SWAPPED:
        return None
    other = 'depth' if result['kind'] == 'disparity' else 'disparity'
    return (
        f'predictions were given as {result["kind"]}, but near and far are swapped (rank '
        f'correlation with the truth {result["rank_correlation"]:.2f}): they look like {other}'
    )
