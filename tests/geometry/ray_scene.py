"""Ray casting of a plane and boxes seen by any pinhole camera: truth for embodied depth."""

import numpy as np

from hybrid_depth.geometry import GroundPlane


def rays(cam2img: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) directions with z = 1."""
    u, v = np.meshgrid(np.arange(size[1]), np.arange(size[0]))
    return np.stack((u, v, np.ones_like(u)), -1) @ np.linalg.inv(cam2img).T


def cast(cam2img, size, plane: GroundPlane, boxes=()) -> tuple[np.ndarray, np.ndarray]:
    """Depth (H, W), inf for none, and index of the box hit, -1 = ground, -2 = nothing.

    The frame of the boxes is level, below the camera on the ground: x right, y down, z ahead. A
    box is ((x0, x1), (up0, up1), (z0, z1)), up above the ground.
    """
    normal, height = plane.normal.numpy(), float(plane.height)
    ahead = np.array([0, 0, 1.0]) - normal * normal[2]
    ahead /= np.linalg.norm(ahead)
    directions = rays(cam2img, size) @ np.stack((np.cross(normal, ahead), normal, ahead)).T
    with np.errstate(divide='ignore', invalid='ignore'):
        depth = np.where(directions[..., 1] > 0, height / directions[..., 1], np.inf)
        hit = np.where(np.isfinite(depth), -1, -2)
        for index, (x, up, z) in enumerate(boxes):
            low = np.array([x[0], height - up[1], z[0]]) / directions
            high = np.array([x[1], height - up[0], z[1]]) / directions
            enter = np.minimum(low, high).max(-1)
            leave = np.maximum(low, high).min(-1)
            closer = (enter <= leave) & (enter > 0) & (enter < depth)
            depth, hit = np.where(closer, enter, depth), np.where(closer, index, hit)
    return depth, hit
