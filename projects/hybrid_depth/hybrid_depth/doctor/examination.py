"""The checks of `hybrid-depth doctor`, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mmengine.config import Config

from ..findings import Finding, examine
from .case import Case


def diagnose(case: Case) -> Iterator[Finding]:
    """Results of all checks that apply to a config, one by one."""
    return examine(checks_of(case.cfg), case)


def checks_of(cfg: Config) -> list[tuple[str, Callable[[Case], str]]]:
    """(name, function) of the checks that apply to a config."""
    return _detector_checks() if is_detector(cfg) else _depth_checks()


def is_detector(cfg: Config) -> bool:
    """Whether a config is that of a detector; others are depth models, without mmdet3d."""
    return 'pts_bbox_head' in cfg.get('model', {})


def _weights_checks() -> list:
    from .averaged_weights import check_averaged_weights

    return [('averaged weights', check_averaged_weights)]


def _detector_checks() -> list:
    from .box_frame import check_box_frame
    from .box_yaw import check_box_size, check_box_yaw
    from .calibration_chain import check_calibration_chain
    from .camera_extrinsics import check_extrinsics
    from .camera_order import check_camera_order
    from .channel_order import check_image_channels, check_weight_channels
    from .class_order import check_class_order, check_class_sizes
    from .depth_coverage import check_depth_coverage
    from .ego_frame import check_ego_frame
    from .evaluation_pipelines import check_repeatability
    from .image_resize import check_cam2img_size, check_img_aug
    from .info_schema import check_info_schema

    return [
        ('class order', check_class_order),
        ('channel order of weights', check_weight_channels),
        *_weights_checks(),
        ('info schema', check_info_schema),
        ('test augmentation', check_repeatability),
        ('channel order of images', check_image_channels),
        ('image resize', check_img_aug),
        ('cam2img and image size', check_cam2img_size),
        ('calibration chain', check_calibration_chain),
        ('ego frame', check_ego_frame),
        ('camera headings and order', check_camera_order),
        ('camera extrinsics', check_extrinsics),
        ('class sizes', check_class_sizes),
        ('box length and width', check_box_size),
        ('box frame', check_box_frame),
        ('box yaw', check_box_yaw),
        ('depth bins', check_depth_coverage),
    ]


def _depth_checks() -> list:
    from . import video_checks
    from .evaluation_pipelines import check_repeatability

    return [
        *_weights_checks(),
        ('data sets', video_checks.check_data),
        ('intrinsics', video_checks.check_intrinsics),
        ('neighbours', video_checks.check_neighbours),
        ('stereo baseline', video_checks.check_stereo),
        ('test augmentation', check_repeatability),
        ('depth range', video_checks.check_depth_limits),
    ]
