"""Bounded queues: what does a thread do that waits for room in one and cannot be suspended?

It goes on: a thread that runs on top of it can make room, one beneath cannot. So a queue may have
more entries than its size then, and the others take them when their turn comes.
"""

from glovebox_guest.own import __builtins__

import functools
import queue

from glovebox_guest import suspension
from glovebox_guest.threads import main_ident, state

MOST_BEYOND = 10_000
"""Entries beyond the size of a queue; a producer that goes on for ever ends there."""

real_put = queue.Queue.put


def put(self, item, block=True, timeout=None):
    if block and timeout is None and 0 < self.maxsize <= self._qsize() < self.maxsize + MOST_BEYOND and state.stack[-1].ident != main_ident:
        size, self.maxsize = self.maxsize, 0
        try:
            return real_put(self, item)
        finally:
            self.maxsize = size
    return real_put(self, item, block, timeout)


def install():
    """Puts the function where programs and the library take it from."""
    functools.update_wrapper(put, real_put)
    del put.__wrapped__
    queue.Queue.put = put


def prepare():
    """After the functions have the places that they have at run time."""
    suspension.state.special[put] = suspension.generator_of(real_put)
