"""Worker processes."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def map_in_workers(
    function: Callable,
    tasks: Iterable,
    workers: int,
    start: Callable[..., None] | None = None,
    arguments: tuple = (),
    chunk: int = 1,
) -> Iterator[Any]:
    """Results of the tasks in their order, from worker processes.

    Ctrl-C and errors end it after the tasks that are running. A worker that is killed is an error,
    on which `multiprocessing.Pool` waits forever.

    Args:
        function: function of one task, importable by name.
        tasks: arguments.
        workers: number of processes.
        start: called in every worker at first.
        arguments: of `start`.
        chunk: tasks that are sent at a time.
    """
    # forked workers start immediately; spawned ones would import the whole package again
    method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else 'spawn'
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(workers, context, _start, (start, arguments)) as pool:
        try:
            yield from pool.map(function, tasks, chunksize=chunk)
        finally:
            pool.shutdown(cancel_futures=True)


def _start(start: Callable[..., None] | None, arguments: tuple) -> None:
    # Ctrl-C reaches all; the parent says so in one line, workers would print a traceback each
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if start is not None:
        start(*arguments)
