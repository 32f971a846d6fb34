"""Worker processes."""

import signal


def leave_interrupts_to_parent() -> None:
    """Initializer of worker processes: on Ctrl-C, which reaches all, only the parent ends.

    The parent says so in one line and ends its workers, which would print a traceback each.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
