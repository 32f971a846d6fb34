"""Errors meant for users."""

import pickle


class HybridDepthError(Exception):
    """An error meant for the user: its text says what was expected, what was got, what to do.

    The command lines show the text without a traceback. Errors that derive from it derive from the
    built-in of their kind too, so that ``except ValueError`` keeps working.
    """


class DepthDataError(HybridDepthError, ValueError):
    """Depth data that cannot be used; the text says what was expected, got, and what to do."""


class ConfigError(HybridDepthError, ValueError):
    """A config that does not fit what is asked of it."""


class UnsafeFileError(HybridDepthError, pickle.UnpicklingError):
    """A file that names functions or classes, which could run code if it were loaded."""


class DamagedFileError(HybridDepthError, ValueError):
    """A file that does not read to its end, or holds something else than it should."""


class OutputInUseError(HybridDepthError, FileExistsError):
    """An output folder that another run writes to, or that holds files of the user."""
