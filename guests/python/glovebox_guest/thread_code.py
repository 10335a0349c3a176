"""Code of threads: does a thread wait, or go round in a loop that may have no end?

Its code is searched for names and jumps, as is that of the functions that it names. Both are
guesses: they only decide when the thread runs.
"""

from glovebox_guest.own import __builtins__

import functools
import opcode
import types

WAITS, LOOPS = 1, 2
WAITING = frozenset((
    "acquire", "as_completed", "get", "is_alive", "is_set", "locked", "notify", "notify_all", "result", "run_forever", "run_until_complete",
    "select", "sleep", "wait", "wait_for",
))
"""Names in the code of a thread by which it is taken to wait."""
ENDLESS = frozenset(("count", "cycle"))
"""Names of iterators that a `for` never comes to the end of."""
LOOKED_THROUGH = 40
"""Functions of a program that are searched for such names."""
LIBRARY = "/usr/lib/python3.14/"
"""The library waits in many places (a log handler's lock), but not for the program's threads."""

JUMP_BACK = opcode.opmap["JUMP_BACKWARD"]
EXTENDED = opcode.opmap["EXTENDED_ARG"]
NEXT_ITEM = opcode.opmap["FOR_ITER"]
CACHE_BYTES = 2 * opcode._inline_cache_entries["JUMP_BACKWARD"]
known = {}


def judge(function):
    """As `_search`, with its answers kept."""
    try:
        if function not in known:
            known[function] = _search(function)
        return known[function]
    except TypeError:
        return _search(function)


def forget():
    """Drops the answers, and the functions with them."""
    known.clear()


def is_endless(code):
    """Whether a loop of the code ends by other means than the end of an iterator."""
    if code not in known:
        known[code] = not ENDLESS.isdisjoint(code.co_names) or _loops_freely(code)
    return known[code]


def _search(function):
    """Whether the code of a function, or of one that it names, waits or loops; both as flags."""
    functions = [(function, None)]
    done = set()
    found = 0
    while functions and len(done) < LOOKED_THROUGH:
        function, owner = functions.pop()
        while isinstance(function, functools.partial):
            function = function.func
        owner = getattr(function, "__self__", owner)
        if getattr(function, "__name__", None) in WAITING:
            return found | WAITS
        function = getattr(function, "__func__", function)
        if type(function) is not types.FunctionType:
            call = getattr(type(function), "__call__", None)
            if type(call) is not types.FunctionType:
                continue
            owner, function = function, call
        if function in done:
            continue
        done.add(function)
        names = _names(function.__code__)
        if not WAITING.isdisjoint(names):
            return found | WAITS
        is_library = _is_library(function)
        if not is_library and is_endless(function.__code__):
            found |= LOOPS
        for named in _named(function, owner, names):
            if is_library or not _is_library(named):
                functions.append((named, owner))
    return found


def _is_library(function):
    return function.__code__.co_filename.startswith(LIBRARY)


def _named(function, owner, names):
    """The functions that a function names: globals, methods of its object, and closed-over ones."""
    for name in names:
        for found in (function.__globals__.get(name), getattr(type(owner), name, None)):
            if type(found) is types.FunctionType:
                yield found
    for cell in (*(function.__closure__ or ()),):
        try:
            found = getattr(cell.cell_contents, "__func__", cell.cell_contents)
        except ValueError:
            continue
        if type(found) is types.FunctionType:
            yield found


def _names(code):
    names = set(code.co_names)
    for constant in code.co_consts:
        if type(constant) is types.CodeType:
            names |= _names(constant)
    return names


def _loops_freely(code):
    """Whether the code jumps back to anything but the next item of an iterator."""
    text = code.co_code
    argument = 0
    for place in range(0, len(text), 2):
        argument = argument << 8 | text[place + 1]
        if text[place] == EXTENDED:
            continue
        if text[place] == JUMP_BACK:
            target = place + 2 + CACHE_BYTES - 2 * argument
            while text[target] == EXTENDED:
                target += 2
            if text[target] != NEXT_ITEM:
                return True
        argument = 0
    return False
