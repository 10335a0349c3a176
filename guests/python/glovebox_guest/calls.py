"""Host calls: how does the guest call its host?

A call is a name and a JSON text. It is started, waited for (alone here, many at once in `loop`) and finished; a failure becomes the
exception that a Python program expects of such a thing.
"""

from glovebox_guest.own import __builtins__

import json

from componentize_py_types import Err
from glovebox_guest.interrupts import pause, resume
from wit_world.imports import host

start_call = host.start_call
wait_any = host.wait_any
finish_call = host.finish_call
encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
decode = json.JSONDecoder().decode


evaluation = [0]
"""The number of the evaluation; the host forgets all calls at its end."""


class CallFailed(Exception):
    """A call that gave no value: `kind` is one of the contract's words, `message` is one line."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind
        self.message = message


def start(name, arguments):
    """Starts a call and returns its number."""
    return start_call(name, encode(arguments))


def finish(call):
    """The decoded result of a call; waits for it. Raises `CallFailed`.

    An interrupt ends the wait. While the result is taken there is none: what is between this and the host makes a failure of it in
    Python, and could not go on.
    """
    while wait_any([call], None) is None:
        pass
    before = pause()
    try:
        text = finish_call(call)
    except Err as error:
        failure = error.value
        text = None
    finally:
        resume(before)
    if text is None:
        raise CallFailed(failure.kind, failure.message)
    return decode(text)


def wait(call, seconds):
    """Waits for one call; says whether it finished in time. `None` seconds: without end."""
    return wait_any([call], nanoseconds(seconds)) is not None


def nanoseconds(seconds):
    """A timeout as the contract wants it; a positive time never becomes zero, so that a loop that waits for it does not spin."""
    if seconds is None:
        return None
    if seconds <= 0:
        return 0
    return min(int(seconds * 1e9) + 1, (1 << 64) - 1)
