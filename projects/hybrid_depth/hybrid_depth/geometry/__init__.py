"""Cameras, frustums, depth maps and depth bins: pure torch functions and small dataclasses."""

from .camera_rig import CameraRig
from .cost_volume import CostVolume, depth_planes, plane_sweep
from .depth_bins import DepthBins
from .depth_map import DepthMap
from .embodied_depth import EmbodiedDepth, EmbodiedDepthMap, Provenance
from .flow import resize_flow, warp_by_flow
from .frustum import cell_pixels, create_frustum, lift_frustum
from .frustum_ranks import frustum_ranks
from .ground_plane import GroundPlane, ground_plane_depth
from .ground_plane_fit import GroundPlaneFit, fit_ground_depth, fit_ground_points
from .ground_plane_motion import fit_ground_motion
from .pillars import PillarView, depth_at, project_pillars
from .plane_smoothing import smooth_planes
from .rigid import invert_rigid
from .vanishing_point import fit_vanishing_point
from .voxel_grid import VoxelGrid

__all__ = [
    'CameraRig',
    'CostVolume',
    'DepthBins',
    'DepthMap',
    'EmbodiedDepth',
    'EmbodiedDepthMap',
    'GroundPlane',
    'GroundPlaneFit',
    'PillarView',
    'Provenance',
    'VoxelGrid',
    'cell_pixels',
    'create_frustum',
    'depth_at',
    'depth_planes',
    'fit_ground_depth',
    'fit_ground_motion',
    'fit_ground_points',
    'fit_vanishing_point',
    'frustum_ranks',
    'ground_plane_depth',
    'invert_rigid',
    'lift_frustum',
    'plane_sweep',
    'project_pillars',
    'resize_flow',
    'smooth_planes',
    'warp_by_flow',
]
