"""Rotated NMS of BEV detections against mmcv's compiled op, or a loop over shapely."""

import math
import statistics
import time
from collections.abc import Callable

import numpy as np
import shapely
import torch
from torch import Tensor

from hybrid_depth import mmcv_ext
from hybrid_depth.ops import rotated_nms

THRESHOLD = 0.2
SIZES = ((500, 25), (500, 100), (1000, 25), (1000, 100))  # boxes, road users


def detections(count: int, objects: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Boxes (count, 5) and scores as of a detector: several around each road user."""
    draw = torch.Generator().manual_seed(seed)
    footprints = torch.tensor([[4.6, 1.9], [8.0, 2.6], [0.7, 0.7], [1.8, 0.8], [11.0, 2.9]])
    centre = 100 * torch.rand(objects, 2, generator=draw) - 50
    size = footprints[torch.randint(len(footprints), (objects,), generator=draw)]
    yaw = 2 * math.pi * torch.rand(objects, 1, generator=draw) - math.pi
    one = torch.randint(objects, (count,), generator=draw)
    noise = torch.randn(count, 5, generator=draw)
    boxes = torch.cat(
        (
            centre[one] + 0.6 * noise[:, :2],
            size[one] * (1 + 0.1 * noise[:, 2:4]).clamp(min=0.3),
            yaw[one] + 0.1 * noise[:, 4:],
        ),
        1,
    )
    return boxes, torch.rand(count, generator=draw)


def shapely_loop(boxes: Tensor, scores: Tensor, threshold: float) -> list[int]:
    """Greedy NMS box by box, with shapely."""
    x, y, w, h, angle = boxes.double().numpy().T
    along = np.stack((w * np.cos(angle), w * np.sin(angle)), 1) / 2
    across = np.stack((-h * np.sin(angle), h * np.cos(angle)), 1) / 2
    centre = np.stack((x, y), 1)
    corners = [along + across, along - across, -along - across, across - along]
    shapes = shapely.polygons(np.stack([centre + corner for corner in corners], 1))
    areas, kept = shapely.area(shapes), []
    left = scores.argsort(descending=True).numpy()
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        shared = shapely.area(shapely.intersection(shapes[best], shapes[left]))
        left = left[shared <= threshold * (areas[best] + areas[left] - shared)]
    return kept


def reference() -> tuple[str, Callable[[Tensor, Tensor, float], list[int]]]:
    """Name and function of the reference: mmcv's op if compiled, else shapely."""
    try:
        compiled = mmcv_ext.is_compiled()
    except ImportError:
        compiled = False
    if not compiled:
        return 'loop over shapely', shapely_loop
    from mmcv.ops import nms_rotated

    return 'mmcv, compiled', lambda *args: nms_rotated(*args)[1].tolist()


def _median_ms(call: Callable[[], object], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def main(repeats: int = 15) -> None:
    """Print the median time of both and the ratio, by boxes, road users and threads."""
    name, other = reference()
    print(
        f'Rotated NMS on the CPU, IoU {THRESHOLD}, medians of {repeats}, torch {torch.__version__}'
    )
    columns = ('boxes', 'road users', 'kept', 'threads', 'hybrid_depth ms', f'{name} ms', 'ratio')
    print(''.join(f'{column:>{max(12, len(column) + 2)}}' for column in columns))
    before = torch.get_num_threads()
    for boxes_count, objects in SIZES:
        boxes, scores = detections(boxes_count, objects)
        kept = rotated_nms(boxes, scores, THRESHOLD).tolist()
        if kept != other(boxes, scores, THRESHOLD):
            raise RuntimeError(f'expected the kept boxes of {name}, got others')
        for threads in (1, 2):
            torch.set_num_threads(threads)
            measured = _median_ms(lambda b=boxes, s=scores: rotated_nms(b, s, THRESHOLD), repeats)
            reference_ms = _median_ms(lambda b=boxes, s=scores: other(b, s, THRESHOLD), repeats)
            row = [boxes_count, objects, len(kept), threads]
            row += [f'{measured:.2f}', f'{reference_ms:.2f}', f'{measured / reference_ms:.2f}']
            print(
                ''.join(f'{x!s:>{max(12, len(c) + 2)}}' for x, c in zip(row, columns, strict=True))
            )
    torch.set_num_threads(before)
