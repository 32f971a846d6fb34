"""Time of Hybrid-depth stage 2 at full size, with and without each optimisation."""

import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine import Config

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.depth.encoders.freezing import eval_frozen
from hybrid_depth.depth.estimators import DepthEstimator

CONFIG = (
    Path(__file__).resolve().parents[1]
    / 'configs/hybrid_depth/hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py'
)
SIZE, FULL_CONTEXT = (224, 672), 77


def full_size_model() -> DepthEstimator:
    """The config's model with random weights, without files and downloads."""
    return build_model(Config.fromfile(CONFIG))


@contextmanager
def full_context(model: DepthEstimator):
    """Prompts padded to CLIP's 77 tokens."""
    prompts = model.encoder.language.prompts
    cut = prompts.ids
    prompts.ids = F.pad(cut, (0, FULL_CONTEXT - cut.shape[1]))
    yield
    prompts.ids = cut


@contextmanager
def all_trainable(model: DepthEstimator):
    """Gradients also for the frozen blocks, which are not used."""
    frozen = [p for p in model.encoder.parameters() if not p.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(True)
    yield
    for parameter in frozen:
        parameter.requires_grad_(False)
        parameter.grad = None
    eval_frozen(model.encoder)


def _seconds(call: Callable[[], object], repeats: int) -> float:
    call()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def main(repeats: int = 1) -> None:
    """Print the seconds of each variant and the ratio to the implementation."""
    torch.manual_seed(0)
    model = full_size_model()
    language = model.encoder.language
    images = [torch.rand(1, 3, *SIZE) for _ in range(2)]

    def step(text_each_time: bool = False) -> None:
        losses = []
        for image in images:
            if text_each_time or not losses:
                language._invalidate()
            losses.append(model.disparity(image).mean())
        sum(losses).backward()

    @torch.no_grad()
    def infer() -> None:
        model.disparity(images[0])

    def infer_text_each_time() -> None:
        language.refresh()
        infer()

    rows: list[tuple[str, float]] = []
    model.train()
    rows.append(('step, as implemented', _seconds(step, repeats)))
    rows.append(
        ('step, text tower at every call', _seconds(lambda: step(text_each_time=True), repeats))
    )
    with full_context(model):
        rows.append(('step, context of 77', _seconds(step, repeats)))
    with all_trainable(model):
        rows.append(('step, gradients of frozen blocks', _seconds(step, repeats)))
    model.eval()
    rows.append(('inference, as implemented', _seconds(infer, repeats)))
    rows.append(('inference, text tower at every call', _seconds(infer_text_each_time, repeats)))
    print(
        f'Hybrid-depth stage 2, {SIZE[0]} x {SIZE[1]}, CPU, {torch.get_num_threads()} threads, '
        f'torch {torch.__version__}, random weights; a step is forward + backward of two images\n'
    )
    reference = 0.0
    for name, seconds in rows:
        reference = seconds if name.endswith('as implemented') else reference
        print(f'{name:40}{seconds:9.2f} s{seconds / reference:8.2f}x')
