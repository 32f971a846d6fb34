"""What an exported detector needs beside its graph: geometry and decoding; numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .box_decoding import TaskSpec
from .calibration import Array, Calibration
from .earlier_frames import EarlierSpec
from .pillar_plan import PillarSpec, seen_pillars
from .pooling_plan import LiftSpec, pooling_ranks


@dataclass(frozen=True)
class DetectorSpec:
    """Description of a detector in the metadata of its file.

    Args:
        image_size: (H, W) of the network image.
        lift: discretisation of the lift.
        channels: of a voxel.
        tasks: decoding of the head's maps.
        head: what the file ends with: ``maps`` of the head, decoded by numpy; ``boxes`` before NMS;
            or ``nms``, boxes after NMS.
        ground_depth: largest depth of the ground plane, an input of the depth net, metres; None for
            nets without it.
        refine: backward projection, or None.
        earlier: earlier key frames, or None.
    """

    image_size: Sequence[int]
    lift: LiftSpec
    channels: int
    tasks: Sequence[TaskSpec]
    head: str = 'maps'
    ground_depth: float | None = None
    refine: PillarSpec | None = None
    earlier: EarlierSpec | None = None

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> DetectorSpec:
        """From metadata.

        Raises:
            KeyError, TypeError: other fields than expected.
        """
        values = dict(metadata['detector'])
        values['lift'] = LiftSpec(**values['lift'])
        values['tasks'] = [TaskSpec(**task) for task in values['tasks']]
        for name, part in (('refine', PillarSpec), ('earlier', EarlierSpec)):
            if values[name] is not None:
                values[name] = part(**values[name])
        return cls(**values)

    def as_metadata(self) -> dict[str, Any]:
        """JSON values; the inverse of ``of``."""
        return dict(kind='detector', detector=asdict(self))

    @property
    def classes(self) -> list[str]:
        """Names by label."""
        return [name for task in self.tasks for name in task.classes]

    def geometry(self, calibration: Calibration) -> dict[str, Array]:
        """Geometry inputs by name; a file has those that its model needs.

        Args:
            calibration: B x N cameras.
        """
        inputs = dict(calibration.as_inputs(), ranks=pooling_ranks(self.lift, calibration))
        if self.ground_depth is not None:
            inputs['prior_depth'] = ground_plane_depth(self.lift, calibration, self.ground_depth)
        if self.refine is not None:
            inputs |= seen_pillars(self.refine, self.lift, self.image_size, calibration)
        return inputs


def ground_plane_depth(lift: LiftSpec, calibration: Calibration, max_depth: float) -> Array:
    """Depth (B, N, h, w) of the plane z = 0 of the ego frame at the feature cells: that of
    ``geometry.GroundPlane``, float32 metres, 0 where there is none."""
    rig = calibration
    cam2img = rig.img_aug @ rig.cam2img
    u, v = np.meshgrid(lift.u, lift.v)
    points = np.stack((u, v, np.ones_like(u)), -1)
    normal, height = -rig.cam2ego[..., 2, :3], rig.cam2ego[..., 2, 3, None, None]
    rays = np.einsum('hwp,bncp->bnhwc', points, np.linalg.inv(cam2img))
    slope = np.einsum('bnhwc,bnc->bnhw', rays, normal)
    valid = (slope * max_depth > height) & (height > 0)
    return np.where(valid, height / np.where(valid, slope, 1), 0).astype(np.float32)
