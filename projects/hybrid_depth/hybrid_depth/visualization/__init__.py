"""Pictures without a display: depth maps, boxes in cameras, the scene from above, whole sheets.

Only the hook needs mmdet3d; the rest asks its boxes for nothing but their ``corners``. Modules are
imported when a name is first used.
"""

from ..lazy import lazy_names

DEPTH = dict(
    bev=['draw_bev'],
    boxes=['SceneBoxes', 'project_points', 'project_wires'],
    camera=['draw_camera_boxes'],
    colors=['CLASS_COLORS', 'class_colors'],
    depth=['colorize_depth', 'depth_color_bar'],
    png=['write_png'],
    sheet=['BEVScene', 'make_sheet'],
)
BEV = dict(bev_picture_hook=['BEVPictureHook', 'scene_of'])

__getattr__, __all__ = lazy_names(__name__, DEPTH | BEV)
