"""Evaluation of predicted depth maps in files of any origin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...datasets.label_images import read_moving_mask
from ...errors import DepthDataError
from .files import DepthMaps, match_predictions
from .metrics import merge_flipped
from .predicted_maps import check_aspect
from .protocols import DepthKind, DepthProtocol
from .scoring import check_kind, score_set, swapped_kind_warning


def _require_mirrored(mirrored: DepthMaps, predicted: DepthMaps, kind: DepthKind) -> None:
    if kind != 'disparity':
        raise DepthDataError(f'flip post-processing averages disparity, got predictions of {kind}')
    if len(mirrored) != len(predicted) or mirrored.names != predicted.names:
        raise DepthDataError(
            f'{mirrored.path}: expected predictions of the {len(predicted)} mirrored images of '
            f'{predicted.path} with the same names; got {len(mirrored)} maps'
        )


def _merge(prediction: np.ndarray, mirrored: np.ndarray, name: str) -> np.ndarray:
    if np.shape(prediction) != np.shape(mirrored):
        raise DepthDataError(
            f'{name}: expected a mirrored prediction of shape {np.shape(prediction)}, got '
            f'{np.shape(mirrored)}'
        )
    return merge_flipped(np.asarray(prediction), np.asarray(mirrored)[..., ::-1])


def evaluate_files(
    predictions: str | Path,
    truths: str | Path,
    protocol: DepthProtocol,
    kind: DepthKind,
    flipped: str | Path | None = None,
    moving: str | Path | None = None,
) -> dict:
    """Evaluate predicted depth maps in files against ground truth in files.

    Args:
        predictions, truths: inputs of `DepthMaps`; matched by name if both have names, else by
            order. Sizes may differ.
        kind: kind of the predictions.
        flipped: disparity predicted for the mirrored images (not mirrored back), to be averaged
            with `predictions`.
        moving: folder of label images of moving objects, 0 or 255, of the size of the ground truth:
            NAME.png for the ground truth NAME, or, for an export of KITTI raw, a mirror of its
            images.

    Returns:
        The result of `score_set`, with the paths.

    Raises:
        FileNotFoundError, DepthDataError: see `DepthMaps`, `match_predictions`, `score_set` and
            `read_moving_mask`; also if near and far are swapped, that is, the kind is wrong.
    """
    check_kind(kind, protocol)
    predicted, measured = DepthMaps(predictions), DepthMaps(truths)
    mirrored = None if flipped is None else DepthMaps(flipped)
    if mirrored is not None:
        _require_mirrored(mirrored, predicted, kind)
    if moving is not None and measured.names is None:
        raise DepthDataError(
            f'{truths}: expected ground truth with names, such as a folder, to find the label '
            f'images in {moving}; got an array'
        )
    places = match_predictions(predicted, measured)

    def pairs() -> Iterator[tuple]:
        for place, (name, source) in enumerate(tqdm(places, desc='images', mininterval=1)):
            prediction, truth = predicted[source], measured[place]
            compared = truth[: int(protocol.truth_rows * len(truth))]
            check_aspect(np.squeeze(prediction).shape, compared.shape, name)
            if mirrored is not None:
                prediction = _merge(prediction, mirrored[source], name)
            mask = moving and read_moving_mask(measured.label_path(moving, name))
            yield name, prediction, truth, mask

    result = score_set(pairs, protocol, kind)
    warning = swapped_kind_warning(result)
    if warning:
        raise DepthDataError(f'{predictions}: {warning}. Set --kind.')
    result['prediction'], result['truth'] = str(predictions), str(truths)
    result['truth_export'] = measured.export
    result['moving'] = None if moving is None else str(moving)
    result['post_processing'] = None if flipped is None else f'flip, {flipped}'
    return result
