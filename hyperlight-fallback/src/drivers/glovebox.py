"""Tools: which functions of the host may a program in a container call?

The same as in the guest, by the same names and with the same exceptions. Each call is a request to
the egress proxy of the container, as `http://glovebox/tools/NAME`.
"""

import http.client
import json
from urllib.parse import quote

from builtins import display

__all__ = ["acall_tool", "call_tool", "display"]

_PROXY = ("127.0.0.1", 3128)
_PATH = "/tools/"


def call_tool(name, /, **arguments):
    """Calls the tool `name` and returns its result.

    Raises `PermissionError` where the run may not, `ValueError` where the tool refuses the
    arguments, and `RuntimeError` where the tool fails or a limit of the run is reached.
    """
    text = json.dumps(arguments, allow_nan=False, separators=(",", ":"))
    connection = http.client.HTTPConnection(*_PROXY)
    try:
        headers = {"Host": "glovebox", "Content-Type": "application/json"}
        connection.request("POST", _PATH + quote(name), text.encode(), headers)
        answer = connection.getresponse()
        status, body = answer.status, answer.read()
    except ConnectionRefusedError:
        raise PermissionError("this run has no tools") from None
    finally:
        connection.close()
    if status == 200:
        return json.loads(body)
    raise _failure(json.loads(body))


async def acall_tool(name, /, **arguments):
    """As `call_tool`, while other tasks go on; several calls may be in flight at once."""
    import asyncio

    return await asyncio.to_thread(call_tool, name, **arguments)


def _failure(error):
    if error["kind"] == "denied":
        return PermissionError(error["message"])
    if error["kind"] == "invalid":
        return ValueError(error["message"])
    return RuntimeError(error["message"])
