"""Daemon threads: when does one end that goes on for ever?

When its program ends, as everywhere, or when the one that waits could long go on. A daemon counts
the turns of its loops meanwhile, and is left where it is: no `finally` and no `except` runs.
"""

from glovebox_guest.own import __builtins__

import sys

from glovebox_guest import thread_code

GUEST = "<glovebox>"
AT_THE_END = 20
"""Looks after the end of the program: about what a daemon would do meanwhile."""
WHILE_OTHERS_WAIT = 500
"""Looks while a thread beneath could go on. That may be waiting for the daemon's result."""
STRIDE = 1000
"""Turns of a daemon's loops from one look at the other threads to the next."""

TOOL, TOOLS = "threads", (4, 3, 5, 2, 1, 0)
"""The name of the tool that watches, and its numbers, the least used first."""

monitoring = sys.monitoring
events = monitoring.events
EVENTS = events.JUMP | events.EXCEPTION_HANDLED
DISABLE = monitoring.DISABLE


class Left(SystemExit):
    """Takes a daemon off the stack."""


class State:
    """Which thread is watched, and how."""

    def __init__(self):
        self.tool = TOOLS[0]
        self.runner = self.handler = self.can_others_go_on = None
        self.looks, self.turns_left = 0, STRIDE
        self.is_over = self.is_watching = False
        # The code whose turns are counted.
        self.counted = set()


state = State()


def run(runner, call, can_others_go_on):
    """Calls the function of a thread, which is watched if it is a daemon.

    `can_others_go_on` says whether another thread is ready, and `None` after the program's end.
    """
    if not runner.daemon and state.runner is None:
        return call()
    before = state.runner, state.looks, state.is_over, state.handler
    if not state.is_watching:
        _watch(EVENTS)
    state.runner, state.looks, state.is_over, state.handler = runner, 0, False, None
    state.can_others_go_on = can_others_go_on
    try:
        return call()
    finally:
        # To begin and to end this costs more than most threads: it ends in a loop that is no daemon's.
        state.runner, state.looks, state.is_over, state.handler = before


def rest():
    """Ends to watch, where nothing runs that has to be."""
    if state.is_watching and state.runner is None:
        _watch(0)
        state.counted.clear()


def leave(runner):
    """Ends a daemon that runs. Does not return."""
    state.is_over = True
    if runner.thread is not None:
        runner.thread._invoke_excepthook = _report_nothing
    raise Left


def _report_nothing(_):
    """In place of `threading.excepthook`."""


def _watch(wanted):
    """Begins or ends to hear of events. The tool is kept: to free it goes through all objects."""
    state.is_watching = bool(wanted)
    if monitoring.get_tool(state.tool) not in (None, TOOL):
        state.tool = next((tool for tool in TOOLS if monitoring.get_tool(tool) is None), None)
        if state.tool is None:
            state.tool = TOOLS[0]
            return
    if wanted and monitoring.get_tool(state.tool) is None:
        monitoring.use_tool_id(state.tool, TOOL)
        monitoring.register_callback(state.tool, events.JUMP, _at_jump)
        monitoring.register_callback(state.tool, events.EXCEPTION_HANDLED, _at_handler)
    if monitoring.get_tool(state.tool) == TOOL:
        monitoring.set_events(state.tool, wanted)


def _at_jump(code, offset, destination):
    if destination > offset or code not in state.counted and not _is_counted(code):
        return DISABLE
    if state.runner is None:
        return rest()
    state.turns_left -= 1
    if state.turns_left <= 0:
        state.turns_left = STRIDE
        if state.runner.daemon:
            _look()


def _is_counted(code):
    """Whether a loop of the code may have no end; the library's have."""
    if code.co_filename.startswith((GUEST, thread_code.LIBRARY)) or not thread_code.is_endless(code):
        return False
    state.counted.add(code)
    return True


def _look():
    ready = state.can_others_go_on()
    state.looks = 0 if ready is False else state.looks + 1
    if state.is_over or state.looks >= (AT_THE_END if ready is None else WHILE_OTHERS_WAIT):
        # The next turn comes soon, should the code go on after all.
        state.turns_left = 0
        state.runner.is_left = True
        leave(state.runner)


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
