"""Image and BEV backbones and necks."""

from .bev_encoder import FPN_LSS, CustomResNet
from .custom_fpn import CustomFPN
from .image_backbone import BEVResNet
from .timm_backbone import TimmBackbone

__all__ = ['FPN_LSS', 'BEVResNet', 'CustomFPN', 'CustomResNet', 'TimmBackbone']
