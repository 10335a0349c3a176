"""Finalization: when is `__del__` called of what a program leaves behind?

At the end of a program, as by a native interpreter: its modules go, and the collector takes what only
they held. Objects of the image are not the collector's, so `__main__` is made after them.
"""

from glovebox_guest.own import __builtins__

import gc
import sys
import types

from glovebox_guest import evaluation, leaving, world

SIMPLE = frozenset((
    bool, int, float, complex, str, bytes, type(None), types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type,
))
"""Types of globals that hold nothing with a `__del__`, as a rule."""
LAST = ("last_exc", "last_type", "last_value", "last_traceback")


class State:
    """How many names every `__main__` has, and what is imported in the image; until that is made, every program is empty."""

    of_the_image = 1 << 30
    modules = frozenset()


state = State()
collect = gc.collect
modules = sys.modules
of_sys = vars(sys)
ModuleType = types.ModuleType


def freeze():
    """Takes the image's objects from the collector, and makes the module `__main__` anew, which is not one of them."""
    state.modules = frozenset(modules)
    gc.freeze()
    main = ModuleType("__main__")
    vars(main).update(vars(world.main))
    modules["__main__"] = world.main = main
    evaluation.namespace = vars(main)
    state.of_the_image = len(vars(main)) + len(("__file__",))


def finalize():
    """Lets the program's modules go. Never raises; the result is the code of an `os._exit`, or `None`."""
    try:
        if len(evaluation.namespace) <= state.of_the_image or not _holds_something():
            return None
        for name in LAST:
            of_sys.pop(name, None)
        for name in modules.keys() - state.modules:
            if _is_own(modules[name]):
                del modules[name]
        modules.pop("__main__", None)
        world.main = evaluation.namespace = None
        collect()
    except BaseException:
        # `os._exit`, or memory is short.
        pass
    return leaving.taken()


def _holds_something():
    for held in evaluation.namespace.values():
        if type(held) not in SIMPLE or type(held) is ModuleType and _is_own(held):
            return True
    return False


def _is_own(module):
    """Whether a module is a file of the program's."""
    path = getattr(module, "__file__", None)
    return type(path) is str and path.startswith(world.WORKSPACE)


evaluation.finalize = finalize
