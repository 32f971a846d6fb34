"""The base of this project's errors."""


class HybridDepthError(Exception):
    """An error meant for the user: its text says what was expected, what was got, what to do.

    The command lines show the text without a traceback. Errors that derive from it derive from the
    built-in of their kind too, so that ``except ValueError`` keeps working.
    """
