"""Calibration of a batch of multi-camera samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class CameraRig:
    """Calibration and augmentation of B samples with N cameras each.

    Frames: camera x right, y down, z forward; ego x forward, y left, z up
    (docs/reference/conventions.md, "Frames"). Names follow mmdet3d.

    Args:
        cam2img: (B, N, 3, 3) intrinsics of the original image, pixels.
        cam2ego: (B, N, 4, 4) camera to key-frame ego, metres.
        img_aug: (B, N, 3, 3) homogeneous 2-D affine, original pixel to network pixel.
        bda: (B, 4, 4) BEV augmentation, applied to ego points and boxes.
        ego2global: (B, 4, 4) pose of the key-frame ego.

    Raises:
        ValueError: a tensor has another shape.

    Example:
        >>> k = torch.tensor([[[[100.0, 0, 32], [0, 100, 24], [0, 0, 1]]]])
        >>> front = [[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]
        >>> unit = torch.eye(4)[None]
        >>> rig = CameraRig(k, torch.tensor([[front]]), unit[None, :, :3, :3], unit, unit)
        >>> u, v, depth = rig.ego2img()[0, 0] @ torch.tensor([10.0, 0, 0, 1])
        >>> [round(x.item(), 3) for x in (u / depth, v / depth, depth)]  # on the road, 10 m ahead
        [32.0, 39.0, 10.0]
    """

    cam2img: Tensor
    cam2ego: Tensor
    img_aug: Tensor
    bda: Tensor
    ego2global: Tensor

    def __post_init__(self):
        batch = tuple(self.cam2img.shape[:2])
        expected = dict(
            cam2img=(*batch, 3, 3),
            cam2ego=(*batch, 4, 4),
            img_aug=(*batch, 3, 3),
            bda=(*batch[:1], 4, 4),
            ego2global=(*batch[:1], 4, 4),
        )
        for name, shape in expected.items():
            got = tuple(getattr(self, name).shape)
            if got != shape:
                raise ValueError(f'CameraRig.{name}: expected shape {shape}, got {got}')

    @classmethod
    def collate(cls, rigs: Sequence[dict[str, Tensor]]) -> CameraRig:
        """Stack one dict of unbatched tensors per sample into a batched rig."""
        names = [f.name for f in fields(cls)]
        return cls(**{name: torch.stack([rig[name] for rig in rigs]) for name in names})

    @property
    def batch_size(self) -> int:
        return self.cam2img.shape[0]

    @property
    def num_cams(self) -> int:
        return self.cam2img.shape[1]

    def to(self, *args, **kwargs) -> CameraRig:
        """Move or cast every tensor, as ``Tensor.to`` does."""
        return replace(
            self, **{f.name: getattr(self, f.name).to(*args, **kwargs) for f in fields(self)}
        )

    def sample(self, index: int) -> CameraRig:
        """The rig of one sample, as a batch of one."""
        return replace(
            self, **{f.name: getattr(self, f.name)[index : index + 1] for f in fields(self)}
        )

    def same_geometry(self, other: CameraRig) -> bool:
        """Whether calibration and augmentation are equal; the ego pose may differ."""
        return all(
            torch.equal(a, b) for a, b in zip(self._geometry(), other._geometry(), strict=True)
        )

    def geometry_key(self) -> bytes:
        """Key of calibration and augmentation, which is equal if they are, for rigs on the CPU."""
        return b''.join(matrices.numpy().tobytes() for matrices in self._geometry())

    def _geometry(self) -> tuple[Tensor, ...]:
        return self.cam2img, self.cam2ego, self.img_aug, self.bda

    def ego2img(self) -> Tensor:
        """(B, N, 3, 4) projection of *augmented* ego points to homogeneous network pixels."""
        ego2cam = torch.linalg.inv(self.bda.unsqueeze(1) @ self.cam2ego)[..., :3, :]
        return self.img_aug @ self.cam2img @ ego2cam
