"""The error that bad depth data, predictions or ground truth raise."""


class DepthDataError(ValueError):
    """Depth data that cannot be used; the text says what was expected, got, and what to do."""
