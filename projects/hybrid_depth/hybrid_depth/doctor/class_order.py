"""Checks of the order of classes: in the weights, and in the info files by the boxes' sizes."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..checkpoints.strict_load import require_class_order
from ..findings import NotCheckedError, fault
from .case import PARTS, Case
from .datasets import check_datasets, head_classes

# Length, width, height in metres: anchors of CBGS on nuScenes, rounded (arXiv 1908.09492;
# github.com/poodarchu/Det3D, examples/cbgs/configs).
_SIZES = {
    'car': (4.6, 1.95, 1.7),
    'truck': (6.9, 2.5, 2.8),
    'construction_vehicle': (6.4, 2.85, 3.2),
    'bus': (11.0, 2.95, 3.5),
    'trailer': (12.3, 2.9, 3.9),
    'barrier': (0.5, 2.5, 1.0),
    'motorcycle': (2.1, 0.77, 1.5),
    'bicycle': (1.7, 0.6, 1.3),
    'pedestrian': (0.73, 0.67, 1.75),
    'traffic_cone': (0.4, 0.4, 1.05),
}
# Sum over classes and three sides of the log of size ratios. An exchange of bus and trailer alone
# (0.5), or of truck and construction vehicle (0.7), is not distinguishable from the few boxes of a
# keyframe; of any two others, it is 1.2 and more.
_GAIN = 1.0


def check_class_order(case: Case) -> str:
    """Compare the classes of head, data sets and weights.

    Raises:
        ClassOrderError, ConventionError: they differ.
    """
    check_datasets(case.cfg, PARTS)
    classes = head_classes(case.cfg)
    if classes is None:
        raise NotCheckedError('the model has no detection head')
    if case.checkpoint is None:
        return f'head and data sets have the order {", ".join(classes)}'
    require_class_order(classes, case.checkpoint, case.source)
    return f'head, data sets and, where it has a record, checkpoint: {", ".join(classes)}'


def check_class_sizes(case: Case) -> str:
    """Compare the median size of each class with the usual ones.

    Raises:
        ConventionError: names that are exchanged fit the sizes better.
        NotCheckedError: fewer than two known classes have boxes.
    """
    boxes = np.concatenate([keyframe.boxes for keyframe in case.boxed])
    labels = np.concatenate([keyframe.labels for keyframe in case.boxed])
    names = [
        name
        for label, name in enumerate(case.classes)
        if name in _SIZES and (labels == label).any()
    ]
    if len(names) < 2:
        raise NotCheckedError('needs boxes of two classes of nuScenes')
    found = [np.median(boxes[labels == case.classes.index(name), 3:6], 0) for name in names]
    known = np.log([_SIZES[name] for name in _SIZES])
    costs = np.abs(np.log(found)[:, None] - known).sum(2)
    rows, columns = linear_sum_assignment(costs)
    written = sum(costs[row, list(_SIZES).index(name)] for row, name in enumerate(names))
    if written - costs[rows, columns].sum() > _GAIN:
        likely = [list(_SIZES)[column] for column in columns]
        wrong = [f'{a} of the size of {b}' for a, b in zip(names, likely, strict=True) if a != b]
        raise fault(
            'boxes of the usual size of their class',
            ', '.join(wrong),
            'check `categories` of the info file against the labels of its instances',
        )
    return f'the boxes of {len(names)} classes have the usual sizes'
