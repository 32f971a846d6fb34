"""Ray casting of a plane and boxes seen by any pinhole camera: truth for embodied depth."""

import cv2
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


def render(cam2img, size, plane: GroundPlane, boxes, ahead: float, seed=0) -> np.ndarray:
    """(H, W) uint8 image of textured surfaces from a camera that moved ahead along the ground."""
    moved = [(x, up, (z[0] - ahead, z[1] - ahead)) for x, up, z in boxes]
    depth, hit = cast(cam2img, size, plane, moved)
    normal = plane.normal.numpy()
    forward = np.array([0, 0, 1.0]) - normal * normal[2]
    forward /= np.linalg.norm(forward)
    axes = np.stack((np.cross(normal, forward), normal, forward))
    depth = np.where(np.isfinite(depth), depth, 0)
    x, y, z = np.moveaxis(rays(cam2img, size) * depth[..., None] @ axes.T, -1, 0)
    texture = np.random.default_rng(seed).integers(0, 256, (512, 512)).astype(np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 1.5)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    # the ground by its position, boxes seen from the front or the side
    u = np.where(hit == -1, x, x + 0.37 * (z + ahead) * (hit >= 0))
    v = np.where(hit == -1, z + ahead, y)
    scale = 18.0  # texture pixels per metre
    maps = [(k * scale % 512).astype(np.float32) for k in (u, v)]
    image = cv2.remap(texture, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.where(hit == -2, np.uint8(200), image)
