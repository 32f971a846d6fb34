"""Small CLIP, trained with open_clip's model and contrastive loss on captioned windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybrid_depth.files import atomic_file
from hybrid_depth.foundation import InputNormalization, build_clip
from hybrid_depth.foundation.clip import text_tokenizer
from hybrid_depth.foundation.images import to_tensor

from .tower_crops import CLASSES, Windows
from .tower_training import Schedule, Trained, train


def train_clip(
    clip: dict,
    windows: Windows,
    caption: Callable[[Windows, int], str],
    schedule: Schedule,
    recipe: dict,
    out: Path,
) -> Trained:
    """Train a CLIP and write its weights with open_clip's names, which for a ResNet are OpenAI's.

    Args:
        clip: config of the `CLIPTower`, with `model_cfg`.
        windows: training windows.
        caption: caption of a window.
        schedule, recipe: see `train`.
        out: weight file; the training's progress is kept beside it.
    """
    from open_clip.loss import ClipLoss

    torch.manual_seed(schedule.seed)
    model = build_clip('model_cfg', None, clip['model_cfg'])
    model.visual.to(memory_format=torch.channels_last)
    normalize = InputNormalization(clip['mean'], clip['std'])
    contrast = ClipLoss()
    tokens = text_tokenizer('model_cfg', clip['model_cfg'])(
        [caption(windows, i) for i in range(len(windows))]
    )
    chance = class_chances(windows.label)

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([schedule.seed, step])
        index = rng.choice(len(windows), schedule.batch, p=chance)
        images = augmented(to_tensor(windows.pixels(index)), rng)
        images = normalize(images).contiguous(memory_format=torch.channels_last)
        with torch.autocast('cpu', torch.bfloat16):  # half the time where the CPU has bfloat16
            pair = model.encode_image(images), model.encode_text(tokens[index])
        pair = (F.normalize(features.float(), dim=-1) for features in pair)
        return contrast(*pair, model.logit_scale.exp())

    def limit_scale(_step: int) -> None:
        with torch.no_grad():
            model.logit_scale.clamp_(0, np.log(100))  # as in CLIP, arXiv 2103.00020, section 2.5

    trained = train(
        nn.ModuleDict(dict(model=model)), loss_of, schedule, recipe, _progress(out), limit_scale
    )
    with atomic_file(out) as file:
        torch.save(model.state_dict(), file)
    return trained


def _progress(out: Path) -> Path:
    return out.with_name(f'{out.stem}.progress.pth')


def class_chances(labels: np.ndarray) -> np.ndarray:
    """Probabilities of windows by which a class is drawn in proportion to the root of its size."""
    counts = np.bincount(labels, minlength=len(CLASSES))
    chance = 1 / np.sqrt(counts[labels])
    return chance / chance.sum()


def augmented(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Images (B, 3, H, W) in [0, 1], mirrored at random and with random brightness, contrast and
    saturation. Neither changes what the captions say."""
    factors = torch.from_numpy(rng.uniform(0.7, 1.3, (3, len(images), 1, 1, 1))).float()
    mirrored = torch.from_numpy(rng.random(len(images)) < 0.5)
    images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    brightness, contrast, saturation = factors
    mean = images.mean((1, 2, 3), keepdim=True)
    images = (images - mean) * contrast + mean * brightness
    grey = images.mean(1, keepdim=True)
    return ((images - grey) * saturation + grey).clamp(0, 1)
