"""Training losses."""

from .depth_agreement import scale_invariant_log
from .depth_distribution import depth_distribution_loss
from .interpolation import census_distance, charbonnier
from .language_alignment import language_ranking_loss, patch_contrast_loss
from .log_depth import log_depth_error
from .matching_mask import depths_agree
from .photometric import PhotometricError, reprojection_minimum
from .reprojection import ReprojectionObjective
from .silog import SILogLoss, standard_normal_divergence
from .smoothness import edge_aware_smoothness, normalize_by_mean

__all__ = [
    'PhotometricError',
    'ReprojectionObjective',
    'SILogLoss',
    'census_distance',
    'charbonnier',
    'depth_distribution_loss',
    'depths_agree',
    'edge_aware_smoothness',
    'language_ranking_loss',
    'log_depth_error',
    'normalize_by_mean',
    'patch_contrast_loss',
    'reprojection_minimum',
    'scale_invariant_log',
    'standard_normal_divergence',
]
