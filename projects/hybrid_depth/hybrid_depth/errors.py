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
    """Config that is not suitable for an operation."""


class UnsafeFileError(HybridDepthError, pickle.UnpicklingError):
    """File that names functions or classes, which could run code when loaded."""


class DamagedFileError(HybridDepthError, ValueError):
    """A truncated or damaged file, or one with other content than expected."""


class OutputInUseError(HybridDepthError, FileExistsError):
    """Output folder that another run writes to, or that contains files of the user."""


class MissingInputError(HybridDepthError, KeyError):
    """Frames, intrinsics or motions that a model needs are not among its inputs."""

    __str__ = Exception.__str__  # KeyError's puts the text in quotes
