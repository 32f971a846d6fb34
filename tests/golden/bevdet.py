"""Reading the BEVDet golden vectors (docs/reference/golden.md, "BEVDet")."""

from pathlib import Path

import torch
from mmengine.structures import InstanceData

from hybrid_depth.geometry import CameraRig, DepthBins, VoxelGrid, create_frustum, lift_frustum
from tests.golden import recipe
from tests.golden.reader import Golden

CAMERAS = ('FRONT_LEFT', 'FRONT', 'FRONT_RIGHT', 'BACK_LEFT', 'BACK', 'BACK_RIGHT')
GEOMETRY, HEAD = Golden('bevdet_geometry'), Golden('bevdet_head')
OFFICIAL_GRID = VoxelGrid(
    (-51.2, 51.2, 0.8), (-51.2, 51.2, 0.8), (-5.0, 3.0, 8.0), rounding='trunc'
)


def keyframe(real_data: Path) -> Path:
    """nuScenes root of the recipe's keyframe."""
    return real_data / recipe.RECIPE['bevdet']['keyframe']


def feature(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Standard normal input of the recipe."""
    return 10 * recipe.tensor(f'input.{name}', shape)


def official_rig(view: str) -> CameraRig:
    """The stored float32 matrices of the real keyframe, view ``test`` or ``aug``."""
    img_aug = torch.eye(3).repeat(6, 1, 1)
    img_aug[:, :2, :2] = GEOMETRY[f'{view}.post_rot'][:, :2, :2]
    img_aug[:, :2, 2] = GEOMETRY[f'{view}.post_tran'][:, :2]
    bda = torch.eye(4)
    bda[:3, :3] = GEOMETRY[f'{view}.bda']
    return CameraRig(
        cam2img=GEOMETRY[f'{view}.intrinsics'][None],
        cam2ego=GEOMETRY[f'{view}.sensor2keyego'][None],
        img_aug=img_aug[None],
        bda=bda[None],
        ego2global=torch.eye(4)[None],
    )


def official_frustum() -> torch.Tensor:
    """Frustum of the models with 59 bins."""
    bins = DepthBins(1.0, 60.0, step=1.0, anchor='lower')
    return create_frustum(bins.anchors, (16, 44), (256, 704))


def lifted(view: str, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """(1, 6, 59, 16, 44, 3) frustum points of a view in the ego frame."""
    return lift_frustum(official_frustum(), official_rig(view).to(dtype))


def near_border(
    grid: VoxelGrid, points: torch.Tensor, moved: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Points that another float32 rounding may move to the next voxel.

    Products in another order, or fused, change a coordinate by up to two units in the last place of
    the largest one; the tolerance is four.

    Args:
        grid: discretisation.
        points: (B, N, D, h, w, 3).
        moved: largest difference of the points themselves, metres.

    Returns:
        The points, bool in the shape of their ranks; and the voxels that they are in or may come
        into, (Z, Y, X) bool.
    """
    within = moved + 4 * torch.finfo(torch.float32).eps * points.abs().max()
    ranks, near = grid.ranks(points), torch.zeros(points.shape[:-1], dtype=torch.bool)
    cells = torch.zeros(grid.size[::-1], dtype=torch.bool)
    for shift in torch.cat((torch.eye(3), -torch.eye(3))).to(points) * within:
        others = grid.ranks(points + shift)
        moves = others != ranks
        near |= moves
        for voxels in (ranks[moves], others[moves]):
            cells.view(-1)[voxels[voxels >= 0]] = True
    return near, cells


def moved_cells(view: str) -> torch.Tensor:
    """(128, 128) BEV cells with another number of points than in the official run."""
    cells, size = OFFICIAL_GRID.ranks(lifted(view)), 128 * 128
    ours = torch.bincount(cells[cells >= 0], minlength=size)
    theirs = torch.zeros(size, dtype=torch.long)
    theirs[GEOMETRY[f'{view}.voxels'].long()] = GEOMETRY[f'{view}.interval_lengths'].long()
    return (ours - theirs).abs().view(128, 128)


def ground_truth(view: str) -> InstanceData:
    """The keyframe's boxes in range, in the frame of the BEV map."""
    from mmdet3d.structures import LiDARInstance3DBoxes  # not needed by tests of depth

    boxes = LiDARInstance3DBoxes(HEAD[f'{view}.gt_boxes'], box_dim=9)
    return InstanceData(bboxes_3d=boxes, labels_3d=HEAD[f'{view}.gt_labels'])


def check_head_losses(golden: Golden, prefix: str, losses: dict, limit: float) -> None:
    """Heat map and box losses of a head of one task; mmdet3d 1.4 sums BEVDet's five L1 parts."""
    golden.check(f'{prefix}.task0.loss_heatmap', losses['task0.loss_heatmap'], limit)
    parts = [f'{prefix}.task0.loss_{part}' for part in ('xy', 'z', 'whl', 'yaw', 'vel')]
    golden.check_sum(parts, losses['task0.loss_bbox'], limit)
