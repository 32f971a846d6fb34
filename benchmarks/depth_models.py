"""Self-supervised depth models side by side: parameters, FLOPs, CPU time and peak memory."""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine import Config
from torch.utils.flop_counter import FlopCounterMode

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.depth.estimators import DepthEstimator, ManyDepth
from hybrid_depth.depth.estimators.feature_memory import FeatureMemory

from .memory import peak_mib

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
MODELS = {
    'Monodepth2-R18': 'monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py',
    'ManyDepth-R18': 'manydepth/manydepth_r18_1xb12-20e_kitti-raw_192x640.py',
    'Mono-ViFI-R18': 'mono_vifi/mono-vifi_r18_1xb10-20e_kitti-raw_192x640.py',
}
SIZE, QUICK_SIZE, REPEATS = (192, 640), (64, 96), 7
Call = Callable[[], object]


def make_inputs(size: tuple[int, int]) -> dict:
    """Random frames at 0, -1 and 1, batch 1, with KITTI's field of view."""
    rows, columns = size
    images = {frame: torch.rand(1, 3, *size) for frame in (0, -1, 1)}
    cam2img = torch.tensor(
        [[0.58 * columns, 0, columns / 2], [0, 1.92 * rows, rows / 2], [0, 0, 1]]
    )
    whole = torch.ones(1, 1, *size, dtype=torch.bool)
    view = dict(  # for Mono-ViFI's training: enlarged 1.5 times, rotated
        angle=torch.tensor([3.0]),
        box=torch.tensor([[columns // 6, rows // 6, columns * 2 // 3, rows * 2 // 3]]),
        ratio=torch.tensor([1.5]),
        camera=torch.eye(3)[None],
        seen=whole,
        returned=whole,
    )
    affine = dict(images=images, augmented=images, view=view)
    return dict(images=images, augmented=images, cam2img=cam2img[None], affine=affine)


def inference(model: DepthEstimator, inputs: dict) -> Call:
    """Prediction from all frames that the model uses."""
    frames = {frame: inputs['images'][frame] for frame in model.frames}

    @torch.no_grad()
    def predict() -> None:
        model.eval().predict(frames, inputs['cam2img'])

    return predict


def stream(model: DepthEstimator, inputs: dict) -> Call:
    """Prediction of the next image of a stream, whose neighbours before it are known."""
    memory = FeatureMemory(len(model.frames) + 1)
    # again and again, but each forgotten in between
    images = [torch.rand_like(inputs['images'][0]) for _ in range(6)]

    @torch.no_grad()
    def predict() -> None:
        images.append(images.pop(0))
        first = min(model.frames)
        frames = {frame: images[frame - first] for frame in model.frames}
        model.eval().predict(frames, inputs['cam2img'], memory)

    predict()
    return predict


def training_step(model: DepthEstimator, inputs: dict) -> Call:
    """Losses and gradients."""

    def step() -> None:
        model.train().zero_grad()
        model.parse_losses(model(inputs, mode='loss'))[0].backward()

    return step


TASKS = {'inference': inference, 'in a stream': stream, 'training step': training_step}


def cost_volume(model: ManyDepth, predict: Call) -> Call:
    """The plane sweep alone, on the features that `predict` matches."""
    sweep, seen = model.matching.sweep, []
    model.matching.sweep = lambda *args: seen.append(args) or sweep(*args)
    predict()
    del model.matching.sweep
    return lambda: sweep(*seen[0])


def parameters(model: DepthEstimator, call: Call) -> float:
    """Parameters of the modules that a call runs, in millions."""
    used: dict[int, int] = {}

    def note(module: torch.nn.Module, *_: object) -> None:
        used.update({id(p): p.numel() for p in module.parameters(recurse=False)})

    hooks = [module.register_forward_hook(note) for module in model.modules()]
    call()
    for hook in hooks:
        hook.remove()
    return sum(used.values()) / 1e6


def gflops(call: Call) -> float:
    """Matrix products and convolutions, two operations per multiply-add."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() / 1e9


def cpu_seconds(calls: list[Call], repeats: int) -> list[float]:
    """The smallest CPU time of each call; all take turns, so that all meet the same machine."""
    best = [float('inf')] * len(calls)
    for _ in range(repeats):
        for i, call in enumerate(calls):
            start = time.process_time()
            call()
            best[i] = min(best[i], time.process_time() - start)
    return best


def main(quick: bool = False) -> None:
    """Print the cost of inference and of a training step of each model, and ratios to the first."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    size = QUICK_SIZE if quick else SIZE
    inputs = make_inputs(size)
    models = {
        name: build_model(Config.fromfile(CONFIGS / config)) for name, config in MODELS.items()
    }
    models['ManyDepth-R18'].augmentation = False  # which skips the matching in a part of the steps
    rows: list[tuple[str, str, Call]] = [
        (task, name, make(model, inputs))
        for task, make in TASKS.items()
        for name, model in models.items()
        if task != 'in a stream' or len(model.frames) > 1
    ]
    swept = cost_volume(models['ManyDepth-R18'], rows[1][2])
    print(
        f'{size[0]} x {size[1]}, batch 1, random weights and images, 1 thread of a CPU, '
        f'torch {torch.__version__}; a training step is forward + backward; ratios to the first'
    )
    print(f'{"":31}{"parameters M":>14}{"GFLOPs":>16}{"CPU seconds":>18}{"peak MiB":>16}')
    *seconds, volume = cpu_seconds([*(call for _, _, call in rows), swept], 1 if quick else REPEATS)
    first: dict[str, tuple] = {}
    for (task, name, call), elapsed in zip(rows, seconds, strict=True):
        costs = gflops(call), elapsed, peak_mib(call)
        ratios = [
            cost / base
            for cost, base in zip(
                costs,
                first.setdefault(task.replace('in a stream', 'inference'), costs),
                strict=True,
            )
        ]
        print(
            f'{task:15}{name:16}{parameters(models[name], call):14.2f}'
            f'{costs[0]:9.1f}{ratios[0]:6.2f}x{costs[1]:11.3f}{ratios[1]:6.2f}x'
            f'{costs[2]:9.0f}{ratios[2]:6.2f}x'
        )
    share = volume / seconds[1]
    print(f'cost volume: {volume:.3f} s, {share:.0%} of the inference of ManyDepth-R18')
