"""Refinement of a BEV map by a second look-up in the image features (FB-BEV)."""

from .backward_projection import BackwardProjection
from .foreground_proposal import ForegroundProposal

__all__ = ['BackwardProjection', 'ForegroundProposal']
