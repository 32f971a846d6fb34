"""Ground-plane scale on real frames against LiDAR, without a network.

The depth to be scaled is LiDAR depth, so the correct scale is 1, and the result evaluates
the plane: calibration, height and flatness of the road. A second report has the plane's pitch and
roll fitted to the ground pixels of the depth itself, as can be done with that of a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.bev.transforms.lidar_depth import load_sweep
from hybrid_depth.datasets.image_files import image_size
from hybrid_depth.datasets.kitti.tree import KittiFrame, KittiRawTree
from hybrid_depth.datasets.kitti.velodyne import read_velodyne, velodyne_depth_map
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.geometry import (
    CameraRig,
    GroundPlane,
    GroundPlaneFit,
    ground_plane_depth,
    invert_rigid,
)
from hybrid_depth.geometry.depth_scale import GroundPlaneScale
from hybrid_depth.geometry.ground_plane_fit import fit_ground_depth
from hybrid_depth.geometry.point_projection import project_nearest

KITTI_HEIGHT = 1.65  # metres (docs/reference/ground_plane.md, "Camera heights")
RANGES = ((3, 10), (10, 20), (20, 30), (30, 50))
ROAD = 0.3  # largest distance of road points from the plane, metres
FAR = 50.0
SCALE = GroundPlaneScale(min_pixels=50)


def kitti_frames(root: Path) -> Iterator[tuple[str, torch.Tensor, CameraRig, tuple[int, int]]]:
    """Name, LiDAR depth (1, H, W), camera and size (H, W) of all frames with a sweep."""
    tree = KittiRawTree(root)
    axes = torch.tensor([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, KITTI_HEIGHT], [0, 0, 0, 1]])
    for drive in tree.drives():
        calibration = tree.calibration(drive)
        for number, path in tree.sweeps(drive).items():
            depth = velodyne_depth_map(read_velodyne(path), calibration)
            cam2img = tree.cam2img(KittiFrame(drive, number, 'l'))
            rig = _rig(torch.from_numpy(cam2img)[None], axes.double()[None])
            yield f'{drive} {number}', torch.from_numpy(depth)[None], rig, depth.shape


def nuscenes_frames(root: Path, out: Path) -> Iterator[tuple]:
    """The same for all keyframes of a root, with all cameras together, (N, H, W)."""
    for summary in create_nuscenes_infos(root, 'v1.0-mini', out=out):
        if not summary.samples:
            continue
        dataset = NuScenesBEVDataset(data_root=str(root), ann_file=str(summary.path.resolve()))
        for index in range(len(dataset)):
            info = dataset.get_data_info(index)
            points = load_sweep(info['lidar_path'], info['num_pts_feats'])[:, :3]
            lidar2ego, cam2ego = info['lidar2ego'], torch.from_numpy(info['cam2ego'])
            width, height = image_size(info['img_path'][0])
            depth = project_nearest(
                points.astype(np.float64) @ lidar2ego[:3, :3].T + lidar2ego[:3, 3],
                invert_rigid(cam2ego).numpy(),
                info['cam2img'],
                info['img_aug'],
                (height, width),
                (1.0, FAR),
            )
            rig = _rig(torch.from_numpy(info['cam2img']), cam2ego)
            yield 'nuScenes', torch.from_numpy(depth), rig, (height, width)


def _rig(cam2img: torch.Tensor, cam2ego: torch.Tensor) -> CameraRig:
    eye = torch.eye(3).double().repeat(1, len(cam2img), 1, 1)
    one = torch.eye(4).double()[None]
    return CameraRig(cam2img[None].double(), cam2ego[None], eye, one, one)


def fitted(depth: torch.Tensor, plane: torch.Tensor, rig: CameraRig) -> GroundPlane:
    """Planes of the cameras whose pitch and roll are those of the ground pixels of the depth.

    Ground pixels are those with the ratio to the nominal plane's depth that most have.
    """
    nominal = GroundPlane.from_pose(rig.cam2ego[0])
    scale, found = SCALE(depth, plane).scale, []
    for index in range(len(depth)):
        prior = GroundPlaneFit.from_calibration(
            GroundPlane(nominal.normal[index], nominal.height[index])
        )
        ratio = plane[index] / (depth[index] * scale[index])  # NaN without a scale: no pixels
        ground = ((ratio - 1).abs() <= 2 * SCALE.tolerance) & (plane[index] > 0)
        cam2img = rig.cam2img[0, index].numpy()
        values = depth[index].numpy()
        fit = fit_ground_depth(values, ground.numpy(), cam2img, prior, metric=False)
        found.append(torch.from_numpy(fit.inverse))
    return GroundPlane.from_inverse(torch.stack(found))


def report(frames: Iterator[tuple], fit: bool = False) -> str:
    """Scales per image, and fractions of road pixels within 5 and 10 % of the plane, by range.

    Args:
        frames: of `kitti_frames` or `nuscenes_frames`.
        fit: use the planes of `fitted`, not the nominal ones.
    """
    errors, lines, found = {limits: [] for limits in RANGES}, [], []
    for name, depth, rig, size in frames:
        height, width = size
        v, u = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
        pixels = torch.stack((u, v), -1)
        nominal = ground_plane_depth(pixels, rig, max_depth=FAR)[0]
        plane = nominal
        if fit:
            cam2img = rig.img_aug[0] @ rig.cam2img[0]
            plane = fitted(depth, nominal, rig).depth(pixels, cam2img, max_depth=FAR)
        estimate = SCALE(depth, plane)
        found.append(estimate.scale)
        lines.append(f'{name}: scale ' + ' '.join(f'{s:.3f}' for s in estimate.scale.tolist()))
        cameras = torch.arange(len(depth))[:, None, None].expand_as(depth)
        seen = (depth > 0) & (plane > 0) & (nominal > 0)
        # height of the point above the nominal plane, by similar triangles: the same road in both
        above = rig.cam2ego[0, :, 2, 3][cameras[seen]] * (1 - depth[seen] / nominal[seen])
        road = above.abs() < ROAD
        ratio = (plane[seen] / depth[seen])[road]
        for near, far in RANGES:
            of_range = (depth[seen][road] >= near) & (depth[seen][road] < far)
            errors[near, far].append((ratio[of_range] - 1).abs())
    scales = torch.cat(found)
    valid = scales[scales.isfinite()]
    lines.append(
        f'scale (truth 1): {len(valid)} of {len(scales)} images have one; median '
        f'{valid.median():.4f}, median error {(valid - 1).abs().median():.4f}, largest '
        f'{(valid - 1).abs().max():.4f}'
    )
    lines.append(f'{"metres":>10}{"road pixels":>13}{"within 5 %":>12}{"within 10 %":>12}')
    for (near, far), parts in errors.items():
        error = torch.cat(parts)
        shares = [(error < limit).double().mean() for limit in (0.05, 0.1)]
        row = ''.join(f'{share:12.3f}' for share in shares)
        lines.append(f'{f"{near}-{far}":>10}{len(error):13}{row}')
    return '\n'.join(lines)


def main(kitti: str, nuscenes: str, out: str) -> None:
    """Print the reports of both data sets, with the nominal and the fitted planes."""
    for fit in (False, True):
        print('plane: ' + ('pitch and roll fitted to the depth' if fit else 'nominal'))
        print(report(kitti_frames(Path(kitti)), fit))
        print(report(nuscenes_frames(Path(nuscenes), Path(out)), fit))
