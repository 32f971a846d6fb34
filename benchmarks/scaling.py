"""How time and memory grow with cameras, grid, depth bins, image and number of samples."""

import pickle
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine import Config
from mmengine.registry import init_default_scope

import hybrid_depth.modules  # noqa: F401  registers the models
from hybrid_depth.bev.evaluation.detection_protocol import DetectionProtocol
from hybrid_depth.bev.evaluation.evaluate_detections import evaluate_detections
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.geometry import CameraRig, DepthBins, VoxelGrid, create_frustum
from hybrid_depth.info_files import read_infos
from hybrid_depth.ops import PoolingPlan, bev_pool

from .detection_tables import make_infos, make_predictions, make_tables
from .memory import peak_mib
from .models import CONFIGS, REPOSITORY
from .nuscenes_eval import BOXES, PREDICTIONS, convert

Calls = dict[str, Callable[[], object]]
CHANNELS, STRIDE, REPEATS = 64, 16, 2
#: Values of each size, while the others stay at their first one.
CAMERAS, QUICK_CAMERAS = (1, 3, 6, 12), (1, 2)
CELLS, QUICK_CELLS = (128, 256, 512), (16, 32)  # a side of the grid
BINS, QUICK_BINS = (59, 118, 236), (4, 8)
#: 896 instead of 900, as both sides are multiples of 32.
IMAGES, QUICK_IMAGES = ((256, 704), (512, 1408), (896, 1600)), ((64, 96), (64, 192))
SAMPLES, QUICK_SAMPLES = (1, 60, 600, 6019), (1, 3)


def rig_of(cameras: int) -> CameraRig:
    """Cameras all around at a height of 1.5 m, with a field of view of 60 degrees at 256x704."""
    yaw = torch.arange(cameras, dtype=torch.float64) * 2 * torch.pi / cameras
    cam2ego = torch.zeros(1, cameras, 4, 4, dtype=torch.float64)
    cam2ego[..., 0, 0], cam2ego[..., 0, 2] = yaw.sin(), yaw.cos()
    cam2ego[..., 1, 0], cam2ego[..., 1, 2] = -yaw.cos(), yaw.sin()
    cam2ego[..., 2, 1], cam2ego[..., 2, 3], cam2ego[..., 3, 3] = -1.0, 1.5, 1.0
    cam2img = torch.tensor([[560.0, 0, 352], [0, 560, 100], [0, 0, 1]], dtype=torch.float64)
    eye = torch.eye(4, dtype=torch.float64)[None]
    img_aug = torch.eye(3, dtype=torch.float64).expand(1, cameras, 3, 3)
    return CameraRig(cam2img.expand(1, cameras, 3, 3), cam2ego, img_aug, eye, eye)


def lift_and_detector(cameras: int, cells: int, bins: int, image: tuple[int, int]) -> Calls:
    """A new pooling plan, pooling forward and backward, and BEVDet-R50 to its raw outputs."""
    half, rig = 51.2, rig_of(cameras)
    cfg = Config.fromfile(REPOSITORY / 'configs' / CONFIGS[0])
    transformer = cfg.model.img_view_transformer
    transformer.grid.update(x=(-half, half, 2 * half / cells), y=(-half, half, 2 * half / cells))
    transformer.depth_bins.update(step=59 / bins)
    transformer.image_size = image
    cfg.model.img_backbone.init_cfg = None
    model = build_model(cfg).eval()
    grid, depth_bins = VoxelGrid(**transformer.grid), DepthBins(**transformer.depth_bins)
    feat_size = (image[0] // STRIDE, image[1] // STRIDE)
    frustum = create_frustum(depth_bins.anchors, feat_size, image, 'corners')
    depth = torch.rand(1, cameras, bins, *feat_size, requires_grad=True)
    feat = torch.rand(1, cameras, CHANNELS, *feat_size, requires_grad=True)
    inputs = dict(imgs=torch.rand(1, cameras, 3, *image), rig=rig)

    def new_plan() -> PoolingPlan:
        plan = PoolingPlan.from_frustum(frustum, rig, grid)
        plan.sparse_pattern()
        return plan

    plan = new_plan()

    @torch.no_grad()
    def forward() -> None:
        model(inputs, None, mode='tensor')

    return {
        'new plan': new_plan,
        'pooling, forward and backward': lambda: bev_pool(depth, feat, plan).sum().backward(),
        'BEVDet-R50, forward': forward,
    }


def infos_and_evaluation(samples: int) -> Calls:
    """Annotations of an info file out of the tables, its reading, and detection scores."""
    tables = make_tables(samples, BOXES)
    infos = make_infos(tables)
    found, protocol = make_predictions(infos, PREDICTIONS), DetectionProtocol()
    tokens = [one['token'] for one in found]

    def read() -> None:
        with tempfile.NamedTemporaryFile(suffix='.pkl') as file:
            Path(file.name).write_bytes(pickle.dumps(infos))
            read_infos(file.name)

    def evaluate() -> None:
        evaluate_detections(infos, tokens, convert(infos, found), protocol, 'infos', 0)

    return {
        'entries of the info file': lambda: make_infos(tables),
        'writing and reading it': read,
        'detection scores': evaluate,
    }


def sweeps(quick: bool) -> Iterator[tuple[str, Sequence, list[int], Callable[..., Calls]]]:
    """Name, values, their sizes in the units that cost should be proportional to, and the calls."""
    cameras, cells = (QUICK_CAMERAS, QUICK_CELLS) if quick else (CAMERAS, CELLS)
    bins, images = (QUICK_BINS, QUICK_IMAGES) if quick else (BINS, IMAGES)
    samples = QUICK_SAMPLES if quick else SAMPLES

    def of(cameras=cameras[0], cells=cells[0], bins=bins[0], image=images[0]) -> Calls:
        return lift_and_detector(cameras, cells, bins, image)

    yield 'cameras', cameras, list(cameras), lambda value: of(cameras=value)
    yield 'cells a side', cells, [side**2 for side in cells], lambda value: of(cells=value)
    yield 'depth bins', bins, list(bins), lambda value: of(bins=value)
    pixels = [rows * columns for rows, columns in images]
    yield 'image', images, pixels, lambda value: of(image=value)
    yield 'samples', samples, list(samples), infos_and_evaluation


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Power of the size that the cost grows with, fitted to the logarithms.

    Example:
        >>> round(exponent([1, 2, 4], [3, 12, 48]), 6)
        2.0
    """
    smallest = 1e-3  # MiB: nothing was allocated beside what is resident
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(costs, smallest)), 1)[0])


def cost(call: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds, the fewest of some runs, and peak MiB of another."""
    times = []
    for _ in range(REPEATS):
        begin = time.process_time()
        call()
        times.append(time.process_time() - begin)
    return min(times), peak_mib(call)


def main(quick: bool = False) -> None:
    """Print CPU seconds and MiB at every value, and the fitted exponents."""
    torch.set_num_threads(1)
    init_default_scope('mmdet3d')
    print(
        'CPU seconds of one thread and peak MiB; cost ~ size ** exponent (cells and pixels: area)'
    )
    for name, values, sizes, calls_of in sweeps(quick):
        rows: dict[str, list[tuple[float, float]]] = {}
        for value in values:
            for part, call in calls_of(value).items():
                rows.setdefault(part, []).append(cost(call))
        print(f'\n{name:30}' + ''.join(f'{value!s:>14}' for value in values) + f'{"exponent":>10}')
        for part, costs in rows.items():
            for unit, column in zip(('s', 'MiB'), zip(*costs, strict=True), strict=True):
                cells = ''.join(f'{x:14.4g}' for x in column)
                print(f'{part + ", " + unit:30}{cells}{exponent(sizes, column):10.2f}', flush=True)
