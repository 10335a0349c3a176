"""Leaving: how does `os._exit` end a program at once?

It raises, and what would catch or delay that raises it again: a `finally`, an `except` without a
class and the `__exit__` of a `with` do not run. A native interpreter would end its process; here
the instance has to answer with the code.
"""

from glovebox_guest.own import __builtins__

import atexit
import os
import sys

GUEST = "<glovebox>"
ENDS = frozenset(("evaluate", "_evaluate", "_end", "end"))
"""The guest's own functions in which the program has ended."""

monitoring = sys.monitoring
events = monitoring.events
EVENTS = events.EXCEPTION_HANDLED | events.PY_START | events.LINE


class Exit(SystemExit):
    """Carries the program's end through everything; an event loop lets it pass like `SystemExit`."""


class State:
    """Where the program left, and with which code."""

    def __init__(self):
        self.code = self.tool = self.handler = self.hook = None


state = State()


def _exit(status):
    """Exit to the system with specified status, without normal exit processing."""
    if not isinstance(status, int):
        raise TypeError(f"'{type(status).__name__}' object cannot be interpreted as an integer")
    state.code = int(status) & 0xFF
    atexit._clear()
    # What C drops is not reported: a finalizer or a callback of `atexit` may have called this.
    if state.hook is None:
        state.hook = sys.unraisablehook
    sys.unraisablehook = _report_nothing
    state.tool = next((tool for tool in range(5, -1, -1) if monitoring.get_tool(tool) is None), None)
    if state.tool is None:
        state.tool = 5
        monitoring.free_tool_id(5)
    monitoring.use_tool_id(state.tool, "os._exit")
    monitoring.register_callback(state.tool, events.EXCEPTION_HANDLED, _at_handler)
    monitoring.register_callback(state.tool, events.PY_START, _at_code)
    monitoring.register_callback(state.tool, events.LINE, _at_code)
    monitoring.set_events(state.tool, EVENTS)
    raise Exit(state.code)


def _at_handler(code, offset, error):
    if code.co_filename == GUEST and code.co_name in ENDS:
        monitoring.free_tool_id(state.tool)
        return
    # A handler may cover the instruction before it, and then it comes again.
    handler = (code, offset)
    if handler == state.handler:
        state.handler = None
        return
    state.handler = handler
    raise error


def _at_code(code, _):
    """Ends what goes on because something in C has dropped the exception."""
    if code.co_filename != GUEST:
        raise Exit(state.code)


def _report_nothing(_):
    """In place of `sys.unraisablehook`."""


def taken():
    """The code of an `os._exit`, once; `None` where there was none."""
    if state.hook is not None:
        sys.unraisablehook, state.hook = state.hook, None
    code, state.code, state.handler = state.code, None, None
    return code


def install():
    """Takes the place of the function that would only say whether the code is zero."""
    _exit.__module__ = "posix"
    os._exit = _exit
