"""Errors meant for users."""

import pickle


class HybridDepthError(Exception):
    """Error for the user; its text states what was expected, what was got, and what to do.

    The command lines print the text without a traceback. Subclasses also derive from the built-in
    error of their kind, so ``except ValueError`` works.
    """


class DepthDataError(HybridDepthError, ValueError):
    """Images, depth maps or calibration that cannot be used."""


class ConfigError(HybridDepthError, ValueError):
    """A config that does not fit what is asked of it."""


class UnsafeFileError(HybridDepthError, pickle.UnpicklingError):
    """A file that names functions or classes, which could run code if it were loaded."""


class DamagedFileError(HybridDepthError, ValueError):
    """A file that does not read to its end, or holds something else than it should."""


class OutputInUseError(HybridDepthError, FileExistsError):
    """An output folder that another run writes to, or that holds files of the user."""
