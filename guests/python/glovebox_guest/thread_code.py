"""Code of threads: may a function wait, or go round in a loop that may have no end?

Its instructions are searched for what they call. An answer that is wrong costs time, where a
function is taken to wait, or lets others run later.
"""

from glovebox_guest.own import __builtins__

import collections
import dis
import io
import opcode
import types

WAITING = frozenset((
    "acquire", "as_completed", "exception", "get", "join", "map", "put", "result", "run", "run_forever", "run_until_complete", "select",
    "sleep", "submit", "wait", "wait_for",
))
"""Names of methods that may wait, whatever they belong to."""
ENDLESS = frozenset(("count", "cycle"))
"""Names of iterators that a `for` never comes to the end of."""
LIBRARY = "/usr/lib/python3.14/"
BUILTIN = frozenset(
    name for kind in (str, bytes, list, dict, set, tuple, int, float, range, collections.deque, io.StringIO, io.BytesIO) for name in dir(kind)
) - WAITING
"""Names of methods that do not wait, unless a class of the program has one."""

op = opcode.opmap
JUMP_BACK = op["JUMP_BACKWARD"]
EXTENDED = op["EXTENDED_ARG"]
NEXT_ITEM = op["FOR_ITER"]
UNKNOWN = frozenset((op["PUSH_NULL"], op["LOAD_SPECIAL"]))
"""Instructions before calls of what has no name, and at the beginning of a `with`."""
NAMED = {op["LOAD_GLOBAL"]: 1, op["LOAD_ATTR"]: 1, op["LOAD_SUPER_ATTR"]: 2}
"""Instructions before calls by name, and the bits of their argument that are not the name's number."""
CACHE_BYTES = 2 * opcode._inline_cache_entries["JUMP_BACKWARD"]
FunctionType, ModuleType = types.FunctionType, types.ModuleType


def is_endless(code):
    """Whether a loop of the code ends by other means than the end of an iterator."""
    return not ENDLESS.isdisjoint(code.co_names) or _loops_freely(code)


def may_wait(function, judge):
    """Whether a function calls something that may wait; `judge` says so of a function."""
    code, names = function.__code__, function.__code__.co_names
    if not WAITING.isdisjoint(names):
        return True
    functions, attributes = set(), set()
    for _, _, number, argument in dis._unpack_opargs(code.co_code):
        if number in UNKNOWN:
            return True
        if number in NAMED and argument & 1:
            (functions if number == op["LOAD_GLOBAL"] else attributes).add(names[argument >> NAMED[number]])
    space = function.__globals__
    for name in functions:
        if type(space.get(name)) is FunctionType and judge(space[name]):
            return True
    return bool(attributes) and _may_methods_wait(attributes, space, judge)


def _may_methods_wait(names, space, judge):
    classes = [thing for thing in space.values() if issubclass(type(thing), type)]
    modules = [thing for thing in space.values() if type(thing) is ModuleType]
    for name in names:
        found = [thing for cls in classes for thing in _methods(cls, name) if type(thing) is FunctionType or name not in BUILTIN]
        found += [vars(module)[name] for module in modules if name in vars(module)]
        if not found and name not in BUILTIN:
            return True
        if any(type(thing) is FunctionType and judge(thing) for thing in found):
            return True
    return False


def _methods(cls, name):
    """What a class has under a name, without asking its metaclass."""
    return [vars(base)[name] for base in type.__dict__["__mro__"].__get__(cls) if name in vars(base)][:1]


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
