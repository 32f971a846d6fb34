"""Rendering without a display: depth maps, boxes in camera images, BEV.

`sheet` combines them and needs torch.
"""

from .bev import draw_bev
from .boxes import SceneBoxes, project_points, project_wires
from .camera import draw_camera_boxes
from .colors import CLASS_COLORS, class_colors
from .depth import colorize_depth, depth_color_bar
from .png import write_png

__all__ = [
    'CLASS_COLORS',
    'SceneBoxes',
    'class_colors',
    'colorize_depth',
    'depth_color_bar',
    'draw_bev',
    'draw_camera_boxes',
    'project_points',
    'project_wires',
    'write_png',
]
