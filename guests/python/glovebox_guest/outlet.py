"""Outlet of results: how does a result that a program shows reach the host?"""

from glovebox_guest.own import __builtins__

from glovebox_guest import calls


def send(text, _):
    """Hands over a result as JSON; returns why the host does not take it, or `None`. The host counts its size itself."""
    call = calls.start_call("show", text)
    try:
        calls.finish(call)
    except calls.CallFailed as error:
        return error.message
    return None
