"""The error that bad depth data, predictions or ground truth raise."""

from ..errors import HybridDepthError


class DepthDataError(HybridDepthError, ValueError):
    """Depth data that cannot be used; the text says what was expected, got, and what to do."""
