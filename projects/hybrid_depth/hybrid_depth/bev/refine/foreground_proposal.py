"""Foreground region proposal on the BEV map (FB-BEV)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet3d.registry import MODELS
from mmdet3d.structures import BaseInstance3DBoxes
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...geometry import VoxelGrid
from ...rotated_boxes import points_in_boxes

# Weight of foreground in the cross-entropy (docs/reference/fb_bev.md, "Foreground proposal").
_POSITIVE = 2.13


def footprints(boxes: BaseInstance3DBoxes, grid: VoxelGrid) -> Tensor:
    """Mask of BEV cells whose centre is in a box, or which contain the centre of a box.

    The second condition covers boxes smaller than a cell, such as pedestrians.

    Args:
        boxes: boxes in the (augmented) ego frame.
        grid: BEV grid.

    Returns:
        (Y, X) bool.
    """
    width, height, _ = grid.size
    cells = grid.centres()[0, ..., :2].flatten(0, 1).to(boxes.tensor)
    centres = boxes.gravity_center[:, :2]
    headings = torch.stack((boxes.yaw.cos(), boxes.yaw.sin()), 1)
    inside = points_in_boxes(cells, centres, boxes.dims[:, :2], headings)
    step = cells.new_tensor([grid.x[2], grid.y[2]])
    offset = cells - centres.unsqueeze(1)  # (M, Y * X, 2)
    contains_centre = ((offset >= -step / 2) & (offset < step / 2)).all(-1)
    return (inside | contains_centre).any(0).view(height, width)


@MODELS.register_module()
class ForegroundProposal(BaseModule):
    """FB-BEV's foreground region proposal net: a mask over BEV cells (arXiv 2308.02236).

    Args:
        in_channels: channels of the BEV map.
        threshold: probability above which a cell is kept.
        teacher_forcing: in training also keep the cells of ground-truth boxes, as in the paper; the
            code published with FB-OCC does not (docs/reference/fb_bev.md, "Deviations from the
            published code"). The set of refined cells then contains information on object
            positions, more in training than in testing.
    """

    def __init__(
        self,
        in_channels: int,
        threshold: float = 0.4,
        teacher_forcing: bool = True,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.threshold, self.teacher_forcing = threshold, teacher_forcing
        inner = in_channels // 2
        self.mask_net = nn.Sequential(
            nn.Conv2d(in_channels, inner, 3, padding=1),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, 1, 3, padding=1),
        )
        self.dice = MODELS.build(dict(type='mmdet.DiceLoss', use_sigmoid=True, eps=1e-3))

    def forward(self, bev: Tensor) -> Tensor:
        """BEV map (B, C, Y, X) -> logits (B, 1, Y, X)."""
        return self.mask_net(bev)

    def kept(self, logits: Tensor, truth: Tensor | None = None) -> Tensor:
        """Cells to refine.

        Args:
            logits: (B, 1, Y, X).
            truth: (B, Y, X) bool in training, see ``footprints``.

        Returns:
            (B, Y, X) bool.
        """
        kept = logits.squeeze(1).sigmoid() > self.threshold
        return kept | truth if self.teacher_forcing and truth is not None else kept

    def loss(self, logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Cross-entropy ``loss_mask_ce`` and Dice loss ``loss_mask_dice``.

        Args:
            logits: (B, 1, Y, X).
            truth: (B, Y, X) bool, see ``footprints``.
        """
        logits, truth = logits.float(), truth.unsqueeze(1).float()
        cross_entropy = F.binary_cross_entropy_with_logits(
            logits, truth, pos_weight=logits.new_tensor(_POSITIVE)
        )
        return dict(loss_mask_ce=cross_entropy, loss_mask_dice=self.dice(logits, truth))
