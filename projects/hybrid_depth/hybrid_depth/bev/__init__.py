"""BEV detectors: depth nets, view transformers, trunk, head (mmdet3d)."""

from .backward_projection import BackwardProjection
from .bev_encoder import FPN_LSS, CustomResNet
from .bevdet import BEVDet
from .bevdet4d import BEVDet4D
from .camera_aware_depth_net import CameraAwareDepthNet
from .center_head import ScaleNMSCenterHead
from .custom_fpn import CustomFPN
from .data_preprocessor import BEVDataPreprocessor
from .depth_net import DepthDistribution, DepthNet
from .depth_supervision import LidarDepthTarget
from .fbbev import FBBEV
from .foreground_proposal import ForegroundProposal
from .history_fusion import HistoryFusion
from .hybrid_depth_net import HybridDepthNet
from .image_backbone import BEVResNet
from .plain_depth_net import PlainDepthNet
from .pseudo_depth_target import PseudoDepthTarget
from .view_transformer import LSSViewTransformer

__all__ = [
    'FBBEV',
    'FPN_LSS',
    'BEVDataPreprocessor',
    'BEVDet',
    'BEVDet4D',
    'BEVResNet',
    'BackwardProjection',
    'CameraAwareDepthNet',
    'CustomFPN',
    'CustomResNet',
    'DepthDistribution',
    'DepthNet',
    'ForegroundProposal',
    'HistoryFusion',
    'HybridDepthNet',
    'LSSViewTransformer',
    'LidarDepthTarget',
    'PlainDepthNet',
    'PseudoDepthTarget',
    'ScaleNMSCenterHead',
]
