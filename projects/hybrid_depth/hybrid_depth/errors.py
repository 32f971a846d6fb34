"""Errors meant for users."""


class HybridDepthError(Exception):
    """Error for the user; its text states what was expected, what was got, and what to do.

    The command lines print the text without a traceback. Subclasses also derive from the built-in
    error of their kind, so ``except ValueError`` works.
    """


class DepthDataError(HybridDepthError, ValueError):
    """Images, depth maps or calibration that cannot be used."""


class ConfigError(HybridDepthError, ValueError):
    """Config that is not suitable for an operation."""
