"""Whole models on a GPU: samples a second, memory, determinism, and the loss curve of a CPU.

Weights, images and boxes are random. Without a card it is a trial on the toy models.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from mmdet3d.structures import Det3DDataSample, LiDARInstance3DBoxes
from mmengine import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import Tensor, nn

import hybrid_depth.modules  # noqa: F401  registers the models
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.depth.estimators import Monodepth2
from hybrid_depth.geometry import CameraRig

from .models import REPOSITORY
from .pooling import nuscenes_like_rig

FULL = {
    'BEVDet-R50': 'bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py',
    'hybrid': 'bevdet_hybrid.py',
    'FB-BEV': 'fbbev/fbbev_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py',
    'Monodepth2-R18': 'monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py',
}
TOY = {
    'BEVDet-R50': 'toy/bevdet_plain_toy.py',
    'hybrid': 'toy/bevdet_hybrid_toy.py',
    'FB-BEV': 'toy/fbbev_hybrid_toy.py',
    'Monodepth2-R18': 'toy/monodepth2_r18_toy.py',
}
CURVE = 'toy/bevdet_plain_toy.py'
BATCH, BOXES, DEPTH_SIZE, TOY_DEPTH_SIZE = 4, 30, (192, 640), (64, 96)
WARM_UP, REPEATS, ITERATIONS, TRIAL_ITERATIONS = 3, 20, 200, 4
#: Largest relative difference of the first losses on CPU and GPU, both in float32 without TF32.
FIRST_LOSSES, TOLERANCE = 3, 1e-3


def to_device(values: object, device: torch.device) -> object:
    """Nested tensors, rigs and data samples on a device."""
    if isinstance(values, dict):
        return {key: to_device(value, device) for key, value in values.items()}
    if isinstance(values, list):
        return [to_device(value, device) for value in values]
    if isinstance(values, CameraRig):
        return CameraRig(**to_device(vars(values), device))
    return values.to(device)


def detector_batch(cfg: Config, batch: int) -> tuple[dict, list[Det3DDataSample]]:
    """Random images, LiDAR depth and boxes for a detector."""
    size = tuple(cfg.model.img_view_transformer.image_size)
    rig = vars(nuscenes_like_rig()).items()
    rig = CameraRig(**{name: x.repeat(batch, *[1] * (x.ndim - 1)) for name, x in rig})
    depth = torch.rand(batch, 6, *size) * 50 + 1
    depth[torch.rand_like(depth) > 0.02] = 0  # as sparse as a sweep
    inputs = dict(imgs=torch.rand(batch, 6, 3, *size), rig=rig, gt_depth=depth)
    samples = []
    for _ in range(batch):
        low, span = torch.tensor(
            [[-45.0, -45, -1, 1, 1, 1, -3, -2, -2], [90, 90, 1, 4, 3, 2, 6, 4, 4]]
        )
        boxes = LiDARInstance3DBoxes(low + span * torch.rand(BOXES, 9), box_dim=9)
        truth = InstanceData(bboxes_3d=boxes, labels_3d=torch.randint(10, (BOXES,)))
        samples.append(Det3DDataSample(gt_instances_3d=truth))
    return inputs, samples


def depth_batch(model: Monodepth2, size: tuple[int, int], batch: int) -> tuple[dict, None]:
    """Random frames for Monodepth2, with the motion that it does not predict."""
    images = {frame: torch.rand(batch, 3, *size) for frame in (0, *model.sources)}
    rows, columns = size
    camera = torch.tensor([[0.58 * columns, 0, columns / 2], [0, 1.92 * rows, rows / 2], [0, 0, 1]])
    inputs = dict(images=images, augmented=images, cam2img=camera.repeat(batch, 1, 1))
    if model.pose_net is None:
        inputs['transforms'] = {i: torch.eye(4).repeat(batch, 1, 1) for i in model.sources}
    return inputs, None


def build(config: str, batch: int, trial: bool) -> tuple[nn.Module, dict, list | None]:
    """A model with random weights and a batch for it, on the CPU."""
    cfg = Config.fromfile(REPOSITORY / 'configs' / config)
    torch.manual_seed(0)
    model = build_model(cfg)
    if 'pts_bbox_head' in cfg.model:
        return model, *detector_batch(cfg, batch)
    return model, *depth_batch(model, TOY_DEPTH_SIZE if trial else DEPTH_SIZE, batch)


def synchronise(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def rate(call: Callable[[], object], device: torch.device, batch: int) -> tuple[float, float]:
    """Samples a second, and peak memory of the device in GiB (0 on a CPU)."""
    cuda = device.type == 'cuda'
    for _ in range(WARM_UP if cuda else 1):
        call()
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    repeats = REPEATS if cuda else 1
    synchronise(device)
    begin = time.perf_counter()
    for _ in range(repeats):
        call()
    synchronise(device)
    seconds = time.perf_counter() - begin
    peak = torch.cuda.max_memory_allocated(device) / 2**30 if cuda else 0.0
    return repeats * batch / seconds, peak


def speeds(name: str, config: str, device: torch.device, deadline: float) -> None:
    """Print a row for forward and training step, with and without AMP and `torch.compile`."""
    trial = device.type == 'cpu'
    batch = 1 if trial else BATCH
    model, inputs, samples = build(config, batch, trial)
    model, inputs = model.to(device), to_device(inputs, device)
    samples = samples and to_device(samples, device)
    half = torch.bfloat16 if trial else torch.float16
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1e-6)

    @torch.no_grad()
    def forward(run: Callable, amp: bool) -> None:
        with torch.autocast(device.type, half, enabled=amp):
            run(inputs, None, mode='tensor')

    def step(run: Callable, amp: bool) -> None:
        optimizer.zero_grad()
        with torch.autocast(device.type, half, enabled=amp):
            loss, _ = model.parse_losses(run(inputs, samples, mode='loss'))
        loss.backward()
        optimizer.step()

    # without a compiler of C++ a trial only traces
    compiled = torch.compile(model, backend='eager' if trial else 'inductor')
    for work, train in ((forward, False), (step, True)):
        for amp in (False, True):
            for run in (model, compiled):
                label = f'{name:16}{work.__name__:9}{"AMP" if amp else "":5}'
                label += f'{"compiled" if run is compiled else "":10}'
                if time.monotonic() > deadline:
                    print(f'{label} left out: no time left')
                    continue
                model.train(train)
                samples_a_second, peak = rate(lambda w=work, r=run, a=amp: w(r, a), device, batch)
                print(f'{label}{samples_a_second:10.1f} samples/s{peak:8.2f} GiB', flush=True)
    torch.compiler.reset()


@contextmanager
def deterministic() -> Iterator[list[warnings.WarningMessage]]:
    """The block with deterministic algorithms; the warnings of operators that have none."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            yield caught
    finally:
        torch.use_deterministic_algorithms(False)


def losses_of(iterations: int, device: torch.device) -> tuple[Tensor, dict[str, Tensor]]:
    """Losses of a toy detector trained on two batches in turn, and its last weights."""
    model, *batches = build(CURVE, 2, trial=True)
    model.train().to(device)
    other = detector_batch(Config.fromfile(REPOSITORY / 'configs' / CURVE), 2)
    batches = [to_device(list(batch), device) for batch in (batches, other)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for iteration in range(iterations):
        loss, _ = model.parse_losses(model(*batches[iteration % 2], mode='loss'))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).cpu(), model.state_dict()


def compare_runs(device: torch.device, iterations: int) -> None:
    """Print whether two runs in deterministic mode are equal, and what hinders it."""
    with deterministic() as caught:
        (first, weights), (second, others) = (losses_of(iterations, device) for _ in range(2))
    equal = torch.equal(first, second)
    equal &= all(torch.equal(weights[name], others[name]) for name in weights)
    result = 'equal' if equal else 'DIFFERENT'
    print(f'\ndeterministic mode, two runs of {iterations} iterations: {result}')
    for text in {str(w.message).split('.')[0] for w in caught if 'determinis' in str(w.message)}:
        print(f'  {text}')


def compare_curves(device: torch.device, iterations: int) -> None:
    """Print the losses of a toy training on CPU and device; RuntimeError if the first differ."""
    here, there = (losses_of(iterations, d)[0] for d in (torch.device('cpu'), device))
    print(f'\n{iterations} iterations of {CURVE}: loss on CPU, on {device.type}')
    for at in sorted({0, iterations // 4, iterations // 2, iterations - 1}):
        print(f'  {at:4}{here[at]:12.4f}{there[at]:12.4f}')
    error = ((there - here).abs() / here)[:FIRST_LOSSES].max()
    last = slice(-max(1, iterations // 10), None)
    ratio = there[last].mean() / here[last].mean()
    print(f'  first losses differ by {error:.1e}; mean of the last tenth: ratio {ratio:.3f}')
    if not error <= TOLERANCE:
        raise RuntimeError(
            f'expected the first {FIRST_LOSSES} losses of the CPU within {TOLERANCE}, got '
            f'differences of {error:.1e}'
        )


def main(device: torch.device, deadline: float) -> None:
    """Print all tables; rows that would begin after the deadline (monotonic) are left out."""
    init_default_scope('mmdet3d')
    trial = device.type == 'cpu'
    compare_curves(device, TRIAL_ITERATIONS if trial else ITERATIONS)
    compare_runs(device, TRIAL_ITERATIONS if trial else 20)
    print('\nforward to raw outputs; step: losses, gradients and SGD; float16 with AMP')
    for name, config in (TOY if trial else FULL).items():
        speeds(name, config, device, deadline)
