"""Thread pool: what is `multiprocessing.pool.ThreadPool` without pipes?

The same methods over the executor of `concurrent.futures`: the original hands tasks and results
from thread to thread, and its threads wait for each other in turns.
"""

from glovebox_guest.own import __builtins__

import concurrent.futures
import os


class AsyncResult:
    """The result of a call that goes on."""

    def __init__(self, futures, gather, callback=None, error_callback=None):
        self._futures, self._gather = futures, gather
        self._callback, self._error_callback = callback, error_callback
        self._left = len(futures)
        for future in futures:
            future.add_done_callback(self._finished)
        if not futures and callback is not None:
            callback(gather([]))

    def _finished(self, _):
        self._left -= 1
        if self._left:
            return
        error = self._error()
        if error is None and self._callback is not None:
            self._callback(self._gather([future.result() for future in self._futures]))
        elif error is not None and self._error_callback is not None:
            self._error_callback(error)

    def _error(self):
        return next(filter(None, (future.exception() for future in self._futures)), None)

    def get(self, timeout=None):
        """The result, or the exception of the call."""
        self.wait(timeout)
        if not self.ready():
            from multiprocessing import TimeoutError

            raise TimeoutError
        return self._gather([future.result() for future in self._futures])

    def wait(self, timeout=None):
        """Waits until it is there."""
        concurrent.futures.wait(self._futures, timeout)

    def ready(self):
        """Whether it is there."""
        return all(future.done() for future in self._futures)

    def successful(self):
        """Whether the call raised nothing."""
        if not self.ready():
            raise ValueError(f"{self!r} not ready")
        return self._error() is None


class ThreadPool:
    """Class which supports an async version of applying functions to arguments."""

    def __init__(self, processes=None, initializer=None, initargs=()):
        if processes is None:
            processes = os.process_cpu_count() or 1
        if processes < 1:
            raise ValueError("Number of processes must be at least 1")
        self._processes = processes
        self._executor = concurrent.futures.ThreadPoolExecutor(processes, "ThreadPool", initializer, initargs)
        self._state = "RUN"

    def _submit(self, function, *arguments, **named):
        if self._state != "RUN":
            raise ValueError("Pool not running")
        return self._executor.submit(function, *arguments, **named)

    def apply_async(self, func, args=(), kwds={}, callback=None, error_callback=None):
        """Calls `func` and returns at once."""
        return AsyncResult([self._submit(func, *args, **kwds)], lambda results: results[0], callback, error_callback)

    def map_async(self, func, iterable, chunksize=None, callback=None, error_callback=None):
        """Calls `func` with each item and returns at once."""
        return AsyncResult([self._submit(func, item) for item in iterable], list, callback, error_callback)

    def starmap_async(self, func, iterable, chunksize=None, callback=None, error_callback=None):
        """Calls `func` with the parts of each item and returns at once."""
        return AsyncResult([self._submit(func, *item) for item in iterable], list, callback, error_callback)

    def apply(self, func, args=(), kwds={}):
        """Calls `func` and returns its result."""
        return self.apply_async(func, args, kwds).get()

    def map(self, func, iterable, chunksize=None):
        """The results of `func` for each item."""
        return self.map_async(func, iterable).get()

    def starmap(self, func, iterable, chunksize=None):
        """The results of `func` for the parts of each item."""
        return self.starmap_async(func, iterable).get()

    def imap(self, func, iterable, chunksize=1):
        """As `map`, one after another."""
        futures = [self._submit(func, item) for item in iterable]
        return (future.result() for future in futures)

    imap_unordered = imap

    def close(self):
        """Takes no more calls."""
        self._state = "CLOSE"

    def terminate(self):
        """Drops what has not begun."""
        self._state = "TERMINATE"
        self._executor.shutdown(cancel_futures=True)

    def join(self):
        """Waits for what was begun."""
        if self._state == "RUN":
            raise ValueError("Pool is still running")
        self._executor.shutdown()

    def __enter__(self):
        if self._state != "RUN":
            raise ValueError("Pool not running")
        return self

    def __exit__(self, *_):
        self.terminate()


def change_pool(module):
    """Replaces the class in `multiprocessing.pool`."""
    for thing in (AsyncResult, ThreadPool):
        thing.__module__ = module.__name__
    module.ThreadPool = ThreadPool
