"""Host functions: which of them may a program call?

Tools that its run was granted, by name. They take and give whatever JSON can say. `display` shows results, and is a builtin too.

    import glovebox

    weather = glovebox.call_tool("weather", city="Oslo")
    both = await asyncio.gather(glovebox.acall_tool("a"), glovebox.acall_tool("b"))
"""

from glovebox_guest import calls as _calls
from glovebox_guest import loop as _loop

from glovebox_guest.results import display

__all__ = ["acall_tool", "call_tool", "display"]


def call_tool(name, /, **arguments):
    """Calls the tool `name` and returns its result.

    Raises `PermissionError` where the run may not, `ValueError` where the tool refuses the arguments, and `RuntimeError` where the
    tool fails or a limit of the run is reached.
    """
    call = _calls.start(f"tool:{name}", arguments)
    try:
        return _calls.finish(call)
    except _calls.CallFailed as error:
        failure = _failure(error)
    raise failure


async def acall_tool(name, /, **arguments):
    """As `call_tool`, while other tasks go on; several calls may be in flight at once."""
    call = _calls.start(f"tool:{name}", arguments)
    try:
        return await _loop.result_of(call)
    except _calls.CallFailed as error:
        failure = _failure(error)
    raise failure


def _failure(error):
    if error.kind == "denied":
        return PermissionError(error.message)
    if error.kind == "invalid":
        return ValueError(error.message)
    return RuntimeError(error.message)
