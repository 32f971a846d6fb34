"""Small vision transformer, trained by self-distillation with lightly's DINO loss.

DINO, arXiv 2104.14294. The pieces of an image that are compared have the scale at which the hybrid
encoder shows images to the tower, up to a factor of 1.6.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from timm.layers import LayerScale
from torch import Tensor, nn
from torchvision.ops import roi_align

from hybrid_depth.datasets.image_files import open_image
from hybrid_depth.datasets.kitti.tree import KittiRawTree
from hybrid_depth.files import atomic_file
from hybrid_depth.foundation import InputNormalization, build_vit
from hybrid_depth.foundation.images import to_tensor
from hybrid_depth.optional import require_package

from .tower_clip import augmented
from .tower_crops import KITTI_SIZE, SURROUND_SIZE, WINDOW, Windows
from .tower_training import Schedule, Trained, train

_GLOBAL, _LOCAL = (40, WINDOW), (20, 40)  # sides of the pieces, pixels
_LOCALS = 4
_REAL_SHARE = 0.1  # of a batch, if there are real frames
_MOMENTUM = 0.99  # of the teacher at the start; 1 at the end
# Batch normalisation, as batches are small: after 200 steps the loss is 4.3 in place of 6.2.
_HEAD = dict(hidden_dim=256, bottleneck_dim=64, output_dim=1024, batch_norm=True)
_TOWER_OPTIONS = ('pretrained', 'taps', 'stride', 'mean', 'std', 'channel_order')


def require_lightly() -> None:
    """Raise AbsentPackageError, which names the command that installs it, without lightly."""
    require_package('lightly', 'pip install --no-deps lightly lightly-utils')


def real_frames(root: Path | None) -> np.ndarray:
    """(N, 64, 192, 3) uint8 colour images of all drives of a KITTI raw folder, left camera; none
    without a folder."""
    found = []
    if root is not None:
        tree = KittiRawTree(root)
        paths = [path for drive in tree.drives() for path in tree.images(drive, 'l').values()]
        found = [np.asarray(open_image(path).resize(KITTI_SIZE)) for path in paths]
    return np.array(found, np.uint8).reshape(-1, *KITTI_SIZE[::-1], 3)


def train_dino(
    dino: dict, windows: Windows, real: np.ndarray, schedule: Schedule, recipe: dict, out: Path
) -> Trained:
    """Train a ViT and write the teacher in the layout of DINOv2's training: teacher.backbone.*.

    Args:
        dino: config of the `DINOTower`.
        windows: their images are the training images.
        real: (N, 64, 192, 3) uint8 further images.
        schedule, recipe: see `train`.
        out: weight file; the training's progress is kept beside it.
    """
    require_lightly()
    from lightly.loss import DINOLoss
    from lightly.models.utils import update_momentum
    from lightly.utils.scheduler import cosine_schedule

    torch.manual_seed(schedule.seed)
    student, teacher = _with_head(dino), _with_head(dino)
    teacher.load_state_dict(student.state_dict())
    teacher.requires_grad_(False)
    distillation = DINOLoss(_HEAD['output_dim'])
    pieces = _Pieces(windows, real, dino)

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng([schedule.seed, step])
        large, small = pieces.draw(schedule.batch, rng)
        with torch.no_grad():
            expected = _run(teacher, large).chunk(2)
        found = [*_run(student, large).chunk(2), *_run(student, small).chunk(_LOCALS)]
        return distillation(list(expected), found)

    def follow(step: int) -> None:
        momentum = cosine_schedule(step, schedule.steps, _MOMENTUM, 1.0)
        update_momentum(student, teacher, momentum)

    modules = nn.ModuleDict(dict(student=student, teacher=teacher, loss=distillation))
    progress = out.with_name(f'{out.stem}.progress.pth')
    trained = train(modules, loss_of, schedule, recipe, progress, follow)
    backbone = {f'backbone.{key}': value for key, value in teacher.vit.state_dict().items()}
    with atomic_file(out) as file:
        torch.save(dict(teacher=backbone), file)
    return trained


def _with_head(dino: dict) -> nn.ModuleDict:
    from lightly.models.modules import DINOProjectionHead

    options = {key: value for key, value in dino.items() if key not in _TOWER_OPTIONS}
    vit = build_vit(options.pop('name'), None, **options)
    for module in vit.modules():
        if isinstance(module, LayerScale):  # of 1e-5, which a short training does not leave
            nn.init.ones_(module.gamma)
    return nn.ModuleDict(dict(vit=vit, head=DINOProjectionHead(vit.embed_dim, **_HEAD)))


def _run(model: nn.ModuleDict, images: Tensor) -> Tensor:
    with torch.autocast('cpu', torch.bfloat16):
        tokens = model['vit'](images)
    return model['head'](tokens.float())


class _Pieces:
    """Random square pieces of images of both sizes, as the tower sees them."""

    def __init__(self, windows: Windows, real: np.ndarray, dino: dict) -> None:
        self.groups = [windows.kitti, windows.surround, real]
        self.size = dino['img_size']
        self.normalize = InputNormalization(*(dino.get(x, 'imagenet') for x in ('mean', 'std')))
        toy = len(windows.kitti) + len(windows.surround)
        share = _REAL_SHARE if len(real) else 0.0
        sizes = np.array([len(group) for group in self.groups])
        self.chance = sizes / toy * (1 - share)
        self.chance[2] = share

    def draw(self, batch: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Two large and four small pieces of a window of each image, which overlap more than pieces
        of a whole image would: (2 B, 3, S, S) and (4 B, 3, S/2, S/2)."""
        canvas = np.zeros((batch, SURROUND_SIZE[1], SURROUND_SIZE[0], 3), np.uint8)
        sizes = np.empty((batch, 2))
        for place, kind in enumerate(rng.choice(3, batch, p=self.chance)):
            image = self.groups[kind][rng.integers(len(self.groups[kind]))]
            height, width = image.shape[:2]
            canvas[place, :height, :width] = image
            sizes[place] = width, height
        images = to_tensor(canvas)
        home = rng.uniform(0, 1, (batch, 2)) * (sizes - WINDOW)
        large = [self._piece(images, home, _GLOBAL, self.size, rng) for _ in range(2)]
        small = [self._piece(images, home, _LOCAL, self.size // 2, rng) for _ in range(_LOCALS)]
        return torch.cat(large), torch.cat(small)

    def _piece(
        self,
        images: Tensor,
        home: np.ndarray,
        sides: tuple[int, int],
        out: int,
        rng: np.random.Generator,
    ) -> Tensor:
        side = rng.uniform(*sides, (len(images), 1))
        corner = home + rng.uniform(0, 1, (len(images), 2)) * (WINDOW - side)
        boxes = np.concatenate([np.arange(len(images))[:, None], corner, corner + side], 1)
        cut = roi_align(images, torch.from_numpy(boxes).float(), out, 1.0, 2, aligned=True)
        return self.normalize(augmented(cut, rng))
