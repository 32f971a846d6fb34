"""BEV pooling with interchangeable back-ends, and IoU and NMS of rotated boxes."""

from .bev_pool import PoolingPlan, bev_pool
from .rotated_nms import rotated_iou, rotated_nms

__all__ = ['PoolingPlan', 'bev_pool', 'rotated_iou', 'rotated_nms']
