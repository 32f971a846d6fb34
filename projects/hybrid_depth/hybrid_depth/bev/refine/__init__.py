"""Refinement of a BEV map by the image features (FB-BEV)."""

from .backward_projection import BackwardProjection
from .foreground_proposal import ForegroundProposal
from .refinement import DepthAwareRefinement

__all__ = ['BackwardProjection', 'DepthAwareRefinement', 'ForegroundProposal']
