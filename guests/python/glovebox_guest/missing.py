"""Missing modules: what does a program hear of a module or a process that is not here?

Python's own error, with a note that says which tier or which package has the module.
"""

from glovebox_guest.own import __builtins__

import errno
import importlib._bootstrap
import os
import subprocess
import sys
import types

IMPORTER = "<frozen importlib._bootstrap>"
"""The file of frames that C takes out of the traceback of an `ImportError`."""
NOWHERE = frozenset((
    "_overlapped", "_scproxy", "_tkinter", "_winapi", "_wmi", "ensurepip", "idlelib", "msvcrt", "nt", "test", "tkinter", "turtle",
    "turtledemo", "winreg", "winsound",
))
"""Modules of the standard library that no tier has."""
IN_CONTAINER = "the container tier has it (`--tier container`)"
NO_PROCESSES = f"{sys.platform} does not support processes; the container tier does (`--tier container`)"

ASK_FOR_SIZES = frozenset(("sympy.external.gmpy",))
"""Modules that cannot do without `ctypes`, and only ask it for the size of a `long`."""

bootstrap = importlib._bootstrap
frame_at = sys._getframe
find_and_load = bootstrap._find_and_load_unlocked
of_library = sys.stdlib_module_names


class c_long:
    """Here as in C: 32 bits."""

    size = 4


def sizeof(kind):
    """The bytes of a C type."""
    return kind.size


sizes = types.ModuleType("ctypes")
sizes.c_long, sizes.sizeof = c_long, sizeof


def _providers():
    """Modules whose package has another name."""
    with open(os.path.join(os.path.dirname(__file__), "providers.txt")) as file:
        return dict(line.split() for line in file if not line.startswith("#"))


providers = _providers()


def _find_and_load_unlocked(name, import_):
    if name == "ctypes" and frame_at(2).f_globals.get("__name__") in ASK_FOR_SIZES:
        return sizes
    try:
        return find_and_load(name, import_)
    except ModuleNotFoundError as error:
        if error.name == name and error.args == (f"No module named {name!r}",) and "." not in name:
            advice = _advice(name)
            if advice:
                error.add_note(advice)
        raise


def _advice(name):
    if name in NOWHERE:
        return ""
    if name in of_library:
        return IN_CONTAINER
    return f"if a package has it, add that (`--package {providers.get(name, name)}`, or `packages` in a request)"


def _execute_child(self, *_):
    raise OSError(errno.ENOTSUP, NO_PROCESSES)


def install():
    """Puts the functions where Python looks."""
    code = _find_and_load_unlocked.__code__
    _find_and_load_unlocked.__code__ = code.replace(co_filename=IMPORTER)
    bootstrap._find_and_load_unlocked = _find_and_load_unlocked
    # Its check comes before everything else and has words of its own.
    subprocess._can_fork_exec = True
    subprocess.Popen._execute_child = _execute_child
