"""Bounded queues: what does a thread do that waits for room in one?

It goes on: the threads that would make room cannot run beside it, and one that runs on top of it
could not wait for what comes next. So a queue may have more entries than its size while there are
other threads, and they take them when their turn comes.
"""

from glovebox_guest.own import __builtins__

import functools
import queue

from glovebox_guest.threads import state

MOST_BEYOND = 10_000
"""Entries beyond the size of a queue; a producer that goes on for ever ends there."""

real_put = queue.Queue.put


def put(self, item, block=True, timeout=None):
    if block and timeout is None and 0 < self.maxsize <= self._qsize() < self.maxsize + MOST_BEYOND and _are_others_there():
        size, self.maxsize = self.maxsize, 0
        try:
            return real_put(self, item)
        finally:
            self.maxsize = size
    return real_put(self, item, block, timeout)


def _are_others_there():
    return len(state.stack) > 1 or bool(state.started) or bool(state.timers)


def install():
    """Puts the function where programs and the library take it from."""
    functools.update_wrapper(put, real_put)
    del put.__wrapped__
    queue.Queue.put = put
