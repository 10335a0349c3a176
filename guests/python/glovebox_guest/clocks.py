"""Clocks: how much time has the program used?

The time since it began: it runs in the only thread of an instance of its own. The C library counts
from the making of the image.
"""

from glovebox_guest.own import __builtins__

import time

monotonic_ns = time.monotonic_ns
started = [0]


def begin():
    """At the start of a fresh instance."""
    started[0] = monotonic_ns()


def process_time_ns():
    """process_time() -> int

    Process time for profiling as nanoseconds:
    sum of the kernel and user-space CPU time.
    """
    return monotonic_ns() - started[0]


def process_time():
    """process_time() -> float

    Process time for profiling: sum of the kernel and user-space CPU time.
    """
    return (monotonic_ns() - started[0]) / 1e9


def install():
    """Puts them where programs look."""
    for function in (process_time, process_time_ns):
        function.__module__ = "time"
        setattr(time, function.__name__, function)
