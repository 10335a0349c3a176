"""Daemon threads: when does one end that goes on for ever?

When its program ends, as everywhere, or when the one that waits could long go on. A daemon counts
the turns of its loops meanwhile, and is left where it is: no `finally` and no `except` runs.
"""

from glovebox_guest.own import __builtins__

import sys

from glovebox_guest import thread_code

GUEST = "<glovebox>"
AT_THE_END = 20_000
"""Turns of a daemon's loops after the end of the program: about what it would do meanwhile."""
WHILE_OTHERS_WAIT = 1_000_000
"""Turns while a thread beneath could go on. That may be waiting for the daemon's result."""
STRIDE = 1000
"""Turns from one look at the other threads to the next."""

monitoring = sys.monitoring
events = monitoring.events
EVENTS = events.JUMP | events.EXCEPTION_HANDLED
DISABLE = monitoring.DISABLE


class Left(SystemExit):
    """Takes a daemon off the stack."""


class State:
    """Which thread is watched, and how."""

    def __init__(self):
        self.tool = self.runner = self.handler = self.can_others_go_on = None
        self.turns = 0
        self.is_over = False


state = State()


def run(runner, call, can_others_go_on):
    """Calls the function of a thread, which is watched if it is a daemon.

    `can_others_go_on` says whether another thread is ready, and `None` after the program's end.
    """
    if not runner.daemon and state.runner is None:
        return call()
    before = state.runner, state.turns, state.is_over, state.handler
    tool = _start() if state.tool is None else None
    state.runner, state.turns, state.is_over, state.handler = runner, 0, False, None
    state.can_others_go_on = can_others_go_on
    try:
        call()
    finally:
        state.runner, state.turns, state.is_over, state.handler = before
        if tool is not None:
            monitoring.free_tool_id(tool)
            state.tool = None


def leave(runner):
    """Ends a daemon that runs. Does not return."""
    state.is_over = True
    if runner.thread is not None:
        runner.thread._invoke_excepthook = _report_nothing
    raise Left


def _report_nothing(_):
    """In place of `threading.excepthook`."""


def _start():
    tool = next((tool for tool in range(5, -1, -1) if monitoring.get_tool(tool) is None), None)
    if tool is None:
        return None
    state.tool = tool
    monitoring.use_tool_id(tool, "threads")
    monitoring.register_callback(tool, events.JUMP, _at_jump)
    monitoring.register_callback(tool, events.EXCEPTION_HANDLED, _at_handler)
    monitoring.set_events(tool, EVENTS)
    return tool


def _at_jump(code, offset, destination):
    if code.co_filename == GUEST or destination > offset or not _is_own(code):
        return DISABLE
    state.turns += 1
    if state.runner.daemon and (state.is_over or state.turns % STRIDE == 0 and _is_late()):
        state.runner.is_left = True
        leave(state.runner)


def _is_own(code):
    return not code.co_filename.startswith(thread_code.LIBRARY) and thread_code.is_endless(code)


def _is_late():
    ready = state.can_others_go_on()
    if ready is None:
        return state.turns >= AT_THE_END
    if not ready:
        state.turns = 0
    return state.turns >= WHILE_OTHERS_WAIT


def _at_handler(code, offset, error):
    if type(error) is not Left or not state.is_over or code.co_filename == GUEST or code.co_filename.startswith(thread_code.LIBRARY):
        return
    # A handler may cover the instruction before it, and then it comes again.
    handler = (code, offset)
    if handler == state.handler:
        state.handler = None
        return
    state.handler = handler
    raise error
