"""Distance of what stands on the ground, from where it touches the ground.

Label images here are upright (`UprightView`): a vertical line of the scene is a column, the
horizontal distance is constant along it, and inverse distance is linear in the row.
"""

from __future__ import annotations

import cv2
import numpy as np

from .scene_classes import CLASSES, GROUND, ROAD, SKY, SURFACES, THING_GROUPS, THINGS, UNLABELLED


def class_table(classes: tuple[int, ...]) -> np.ndarray:
    """(256,) bool, to look up whether a label is one of the classes."""
    table = np.zeros(UNLABELLED + 1, bool)
    table[list(classes)] = True
    return table


_SECTION = 16  # columns
_LOWER = 1.1  # ratio of distances
_WHEEL = 1.0  # metres, wider than a wheel and narrower than the space between two
_REACH = 0.5  # metres to the side of a contact for which it speaks
_HIGHEST = 0.4  # metres of ground clearance; above it, parts of the edge hang in the air
_BUS = CLASSES.index('bus')
_LOW_FLOOR = 0.3  # metres of ground clearance of a bus, whose rear and front hide the wheels
_SURFACE, _THING = class_table(SURFACES), class_table(THINGS)
_STANDING = ~class_table((*GROUND, SKY, UNLABELLED))


def surface_distance(labels: np.ndarray, per_row: np.ndarray, horizon: float, reach: int):
    """Inverse distance of long vertical surfaces, per column and run of equal labels.

    A run of one class in a column that has ground directly below it stands there; other runs, such
    as a wall above a car, have no distance. The lowest contacts of a class are filtered by a median
    over the neighbouring columns.

    Args:
        labels: (H, W) uint8, upright.
        per_row: (256,) increase of the inverse distance per row, of the ground of a class; NaN for
            classes that are no ground.
        horizon: row of the horizon.
        reach: columns to each side that take part in the median.

    Returns:
        (H, W) float32, 1 / metres, NaN where unknown, not positive at and beyond the horizon.
    """
    height, width = labels.shape
    contact = _SURFACE[labels[:-1]] & np.isfinite(per_row)[labels[1:]]
    rows, columns = np.nonzero(contact)
    inverse = (rows + 0.5 - horizon) * per_row[labels[rows + 1, columns]]
    classes = labels[rows, columns]
    lowest = np.full((len(CLASSES), width), -1)
    np.maximum.at(lowest, (classes, columns), rows)
    is_lowest = rows == lowest[classes, columns]
    table = np.full((len(CLASSES), width), np.nan)
    table[classes[is_lowest], columns[is_lowest]] = inverse[is_lowest]
    smooth = _nan_median(table, reach)
    inverse = np.where(is_lowest, smooth[classes, columns], inverse)
    bottom = np.full((height, width), np.nan, np.float32)
    bottom[rows, columns] = inverse
    return np.take_along_axis(bottom, _run_ends(labels), 0)


def _run_ends(labels: np.ndarray) -> np.ndarray:
    """(H, W) row of the lowest pixel of the run of equal labels in its column."""
    height = len(labels)
    ends = np.full(labels.shape, height - 1, np.int16 if height < 2**15 else np.int32)
    np.copyto(ends[:-1], np.arange(height - 1)[:, None], where=labels[:-1] != labels[1:])
    return np.minimum.accumulate(ends[::-1], 0)[::-1].astype(np.intp)


def _nan_median(table: np.ndarray, reach: int) -> np.ndarray:
    """Median over 2 reach + 1 columns, of those that are not NaN."""
    padded = np.pad(table, ((0, 0), (reach, reach)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)
    windows = np.sort(windows, -1)  # NaN last
    count = np.isfinite(windows).sum(-1, keepdims=True)
    middle = np.concatenate((np.maximum(count - 1, 0) // 2, count // 2), -1)
    return np.take_along_axis(windows, np.minimum(middle, 2 * reach), -1).mean(-1)


def thing_ids(labels: np.ndarray, instances: np.ndarray | None) -> tuple[np.ndarray, int]:
    """Id of the thing of every pixel, 0 for none, and the number of connected components among.

    What has an instance is a thing, such as a barrier that is labelled as a fence. Things without
    an instance (id 0, or no instance image) are the connected components of their group of classes:
    neighbours that touch in the image are merged and share one distance.

    Args:
        labels: (H, W) uint8.
        instances: (H, W) uint16, 0 = none; None for no instances.

    Returns:
        (H, W) uint16 ids, components numbered behind the instances.
    """
    thing = _THING[labels]
    ids = np.zeros(labels.shape, np.int32)
    if instances is not None:
        np.copyto(ids, instances, where=_STANDING[labels], casting='unsafe')
    first = last = int(ids.max(initial=0))
    missing = thing & (ids == 0)
    counts = np.bincount(labels[missing], minlength=UNLABELLED + 1)
    for group in THING_GROUPS:
        if counts[list(group)].any():
            mask = missing & class_table(group)[labels]
            number, components = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
            np.copyto(ids, components + last, where=mask)
            last += number - 1
    # 16 bits are what OpenCV can resample; more things than that are noise
    return np.where(ids < 2**16, ids, 0).astype(np.uint16), last - first


def thing_distance(
    ids: np.ndarray,
    labels: np.ndarray,
    per_row: np.ndarray,
    horizon: float,
    focal: float,
    middle: float,
    near: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Inverse distance of things, from the envelope of their nearest contacts.

    Between the wheels of a car, the ground seen below its edge lies behind the car: at ground
    clearance g a camera of height h sees it at h / (h - g) times the distance. The nearest contacts
    are those of wheels and feet. The visible side of a convex upright body has an inverse distance
    that is concave along the columns (a vertical plane has a linear one), so it is the concave hull
    of the contacts of sections of `_SECTION` columns; narrow things have one section, thus one
    distance. Columns without a contact within `_REACH` metres, because others hide it, have no
    distance, nor have things with a clearance above `_HIGHEST`: invalid instead of wrong.

    Args:
        ids: (H, W) uint16 of `thing_ids`, upright.
        labels: (H, W) uint8, upright.
        per_row, horizon: as of `surface_distance`.
        focal: focal length of the view, pixels.
        middle: column of the view's axis.
        near: fraction of the contacts of a section that may be nearer, against errors of labels.

    Returns:
        (65536,) row of the table of each id, -1 for none; and the table (N, W) float32, 1 / metres,
        NaN where unknown.
    """
    rows, columns = np.nonzero((ids[:-1] > 0) & np.isfinite(per_row)[labels[1:]])
    inverse = (rows + 0.5 - horizon) * per_row[labels[rows + 1, columns]]
    owner = ids[rows, columns].astype(np.int64)
    found, row = np.unique(owner, return_inverse=True)
    is_bus = np.bincount(row, labels[rows, columns] == _BUS, len(found)) > 0
    first, last = np.full(len(found), ids.shape[1]), np.full(len(found), -1)
    np.minimum.at(first, row, columns)
    np.maximum.at(last, row, columns)
    contacts = np.full((len(found), ids.shape[1]), -np.inf)
    np.maximum.at(contacts, (row, columns), inverse)
    table = np.full((len(found), ids.shape[1]), np.nan, np.float32)
    every = np.arange(ids.shape[1])
    for index, (begin, end) in enumerate(zip(first, last, strict=True)):
        seen = begin + np.flatnonzero(np.isfinite(contacts[index, begin : end + 1]))
        profile = np.interp(every[begin : end + 1], seen, contacts[index, seen])
        least = 1.0
        if is_bus[index]:
            ends = _facing(profile, begin - middle, focal, near)
            least = np.where(ends, 1 / max(1 - _LOW_FLOOR * focal * per_row[ROAD], 1e-6), 1)
        body = _without_clearance(profile, focal, per_row[ROAD], least)
        if body is None:
            continue
        knots = _sections(body, near)
        distance = np.interp(every, *_concave_hull(begin + knots, body[knots]))
        known = _gap(every, seen) <= np.maximum(_REACH * focal * distance, 1)
        table[index] = np.where(known, distance, np.nan)
    table[_hidden(ids, found, contacts.max(1, initial=-np.inf), per_row, horizon)] = np.nan
    number = np.full(2**16, -1)
    number[found] = np.arange(len(found))
    return number, table


def _hidden(ids, found, nearest, per_row, horizon) -> np.ndarray:
    """(N,) bool: things that reach `_LOWER` nearer than their nearest contact: others hide it."""
    rows, columns = np.nonzero((ids[:-1] > 0) & (ids[:-1] != ids[1:]))
    lowest = np.zeros(2**16)
    np.maximum.at(lowest, ids[rows, columns], rows)
    return (lowest[found] + 0.5 - horizon) * per_row[ROAD] > nearest * _LOWER


def _gap(columns: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Distance of each column to the nearest of the increasing columns `seen`."""
    index = np.searchsorted(seen, columns)
    before, after = seen[np.maximum(index - 1, 0)], seen[np.minimum(index, len(seen) - 1)]
    return np.minimum(np.abs(columns - before), np.abs(after - columns))


def _facing(profile: np.ndarray, first: float, focal: float, near: float) -> np.ndarray:
    """Whether a side of a body faces the camera by less than 45 degrees, per column.

    On a plane the inverse distance is a + b x / focal with x from the middle of the image; its
    normal has the direction (b, a).
    """
    columns, sections = np.arange(len(profile)), _sections(profile, near)
    knots, inverse = _concave_hull(sections, profile[sections])
    if len(knots) < 2:
        return np.ones(len(profile), bool)
    slopes = np.diff(inverse) / np.diff(knots)
    slope = slopes[np.clip(np.searchsorted(knots, columns) - 1, 0, len(slopes) - 1)]
    hull = np.interp(columns, knots, inverse)
    return np.abs(slope * focal) < np.abs(hull - slope * (first + columns))


def _without_clearance(
    profile: np.ndarray, focal: float, row: float, least: np.ndarray | float
) -> np.ndarray | None:
    """Inverse distance per column, corrected for the ground clearance of the body.

    Wheels stand out of the lower edge of a body, which a morphological opening by `_WHEEL` metres
    shows. What they stand out at most is the factor h / (h - g) of the whole edge, which is at
    least `least`. A body whose wheels are hidden stays too far by the rest of it. None if the
    clearance is above `_HIGHEST`.
    """
    width = int(_WHEEL * focal * np.median(profile)) // 2 * 2 + 1
    if not 3 <= width < len(profile):
        return profile * least
    line = profile.astype(np.float32)[None]
    edge = cv2.morphologyEx(
        line, cv2.MORPH_OPEN, np.ones((1, width), np.uint8), borderType=cv2.BORDER_REPLICATE
    )[0]
    factor = np.quantile(profile / np.maximum(edge, 1e-6), 0.98)
    if factor * (1 - _HIGHEST * row * focal) > 1:
        return None
    if (factor - 1) * np.median(profile) < 1.5 * row:  # rounded rows stand out by one
        return np.maximum(profile, edge * least)
    return np.maximum(profile, edge * np.maximum(factor, least))


def _sections(profile: np.ndarray, near: float) -> np.ndarray:
    """Column of the nearest contact but a fraction, of each section of `_SECTION` columns."""
    number = max(len(profile) // _SECTION, 1)
    section = np.arange(len(profile)) * number // len(profile)
    order = np.lexsort((-profile, section))
    _, start, count = np.unique(section, return_index=True, return_counts=True)
    return order[start + ((count - 1) * near).astype(int)]


def _concave_hull(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of the least concave function that is not below the points; x increases."""
    if len(x) < 3:
        return x, y
    hull = np.sort(
        cv2.convexHull(np.stack((x, y * 1000), 1).astype(np.float32), returnPoints=False)[:, 0]
    )
    chord = np.interp(x[hull], x[[0, -1]], y[[0, -1]])
    upper = hull[y[hull] >= chord - 1e-9]
    return x[upper], y[upper]
