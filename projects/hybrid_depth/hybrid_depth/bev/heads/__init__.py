"""Detection heads."""

from .center_head import ScaleNMSCenterHead

__all__ = ['ScaleNMSCenterHead']
