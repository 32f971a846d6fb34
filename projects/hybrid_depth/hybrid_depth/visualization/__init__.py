"""Pictures without a display: depth maps, boxes in cameras, the scene from above, whole sheets.

Only the hook needs mmdet3d; the rest asks its boxes for nothing but their ``corners``.
"""

from ..optional import absent_bev_packages
from .bev import draw_bev
from .boxes import SceneBoxes, project_points, project_wires
from .camera import draw_camera_boxes
from .colors import CLASS_COLORS, class_colors
from .depth import colorize_depth, depth_color_bar
from .png import write_png
from .sheet import BEVScene, make_sheet

__all__ = [
    'BEVScene',
    'CLASS_COLORS',
    'SceneBoxes',
    'class_colors',
    'colorize_depth',
    'depth_color_bar',
    'draw_bev',
    'draw_camera_boxes',
    'make_sheet',
    'project_points',
    'project_wires',
    'write_png',
]

if not absent_bev_packages():
    from .bev_picture_hook import BEVPictureHook, scene_of

    __all__ += ['BEVPictureHook', 'scene_of']
