"""Errors meant for users."""


class HybridDepthError(Exception):
    """An error meant for the user: its text says what was expected, what was got, what to do.

    The command lines show the text without a traceback. Errors that derive from it derive from the
    built-in of their kind too, so that ``except ValueError`` keeps working.
    """


class DepthDataError(HybridDepthError, ValueError):
    """Images, depth maps or calibration that cannot be used; the text says what was expected, got,
    and what to do."""


class ConfigError(HybridDepthError, ValueError):
    """A config that does not fit what is asked of it."""
