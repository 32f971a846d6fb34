"""Scoring of depth maps against a plain loop of the published metrics."""

import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np

from hybrid_depth.depth.evaluation.metrics import ALL_METRICS
from hybrid_depth.depth.evaluation.protocols import PROTOCOLS
from hybrid_depth.depth.evaluation.scoring import score_set

SIZE = (375, 1242)
INPUT = (192, 640)
SHARES = {'Velodyne': 0.045, 'annotated': 0.17}  # pixels with ground truth, about KITTI's
PROTOCOL = PROTOCOLS['kitti_eigen']


def random_maps(images: int, share: float, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """(disparity, ground truth) of each image, float32."""
    random = np.random.default_rng(seed)
    rows = np.linspace(0.005, 0.2, INPUT[0], dtype=np.float32)[:, None]
    maps = []
    for _ in range(images):
        disparity = rows * random.uniform(0.7, 1.4, INPUT).astype(np.float32)
        depth = 1 / cv2.resize(disparity, SIZE[::-1], interpolation=cv2.INTER_LINEAR)
        truth = depth * random.uniform(0.8, 1.3, SIZE).astype(np.float32)
        truth[random.random(SIZE) > share] = 0
        maps.append((disparity, truth))
    return maps


def plain_loop(maps: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """The eight metrics by their formulas, with Garg's crop and median scaling.

    docs/reference/depth_protocols.md, "Metrics", and docs/reference/depth_protocols.md, "Eigen".
    """
    errors = []
    for disparity, truth in maps:
        height, width = truth.shape
        depth = 1 / cv2.resize(disparity, (width, height), interpolation=cv2.INTER_LINEAR)
        top, bottom, left, right = np.multiply(PROTOCOL.crop, (height, height, width, width))
        crop = np.zeros(truth.shape, bool)
        crop[int(top) : int(bottom), int(left) : int(right)] = True
        valid = (truth > 1e-3) & (truth < 80) & crop
        t, p = truth[valid], depth[valid]
        p = np.clip(p * (np.median(t) / np.median(p)), 1e-3, 80)
        worse = np.maximum(t / p, p / t)
        errors.append(
            (
                np.mean(np.abs(t - p) / t),
                np.mean((t - p) ** 2 / t),
                np.sqrt(np.mean((t - p) ** 2)),
                np.sqrt(np.mean((np.log(t) - np.log(p)) ** 2)),
                *(np.mean(worse < 1.25**power) for power in (1, 2, 3)),
                np.mean(np.abs(np.log10(t) - np.log10(p))),
            )
        )
    return dict(zip(ALL_METRICS, np.mean(errors, 0).tolist(), strict=True))


def _milliseconds(call: Callable[[], object], images: int) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) / images * 1e3


def main(images: int = 40, repeats: int = 7) -> None:
    """Print CPU time per image of both and the ratio."""
    cv2.setNumThreads(1)
    print(
        f'Depth scoring, {images} images {SIZE[1]}x{SIZE[0]}, disparity {INPUT[1]}x{INPUT[0]}, CPU '
        f'time of one thread, medians of {repeats} turns. Ours also computes the errors without '
        'scaling, errors by distance and the rank correlation'
    )
    for name, share in SHARES.items():
        maps = random_maps(images, share)

        def ours(maps=maps) -> dict:
            return score_set(lambda: (('', *pair) for pair in maps), PROTOCOL, 'disparity')

        theirs, metrics = plain_loop(maps), ours()['metrics']
        for metric, value in metrics.items():
            np.testing.assert_allclose(value, theirs[metric], rtol=1e-5)
        times = [
            (_milliseconds(ours, images), _milliseconds(lambda m=maps: plain_loop(m), images))
            for _ in range(repeats)
        ]
        measured, loop = (statistics.median(column) for column in zip(*times, strict=True))
        ratio = statistics.median(a / b for a, b in times)
        print(
            f'{name} ({share:.1%} of the pixels): hybrid_depth {measured:.2f} ms, plain loop '
            f'{loop:.2f} ms, ratio {ratio:.2f}'
        )
