"""Suspension: which functions can a thread stop in the middle of?

Those of the program that may wait, and those of the library that programs wait with. `resolve`
gives a generator function for one, made of its code (`assembly`); what it cannot stop in, such as
a function that C calls, runs on the stack as everything does.
"""

from glovebox_guest.own import __builtins__

import contextvars
import functools
import sys
import types

from glovebox_guest import thread_code
from glovebox_guest.assembly import Assembly
from glovebox_guest.items import Items, given

GUEST = "<glovebox>"
LIBRARY = thread_code.LIBRARY
WAITING_MODULES = (
    "threading", "queue", "sched", "concurrent.futures._base", "concurrent.futures.thread", "asyncio.base_events", "asyncio.runners",
)
"""Modules of the library in whose functions threads wait for each other."""
WAITING_FILES = frozenset(f"{LIBRARY}{name.replace('.', '/')}.py" for name in WAITING_MODULES)
FLAGS, OPTIMIZED, GENERATOR = 0x2A3, 0x3, 0x23
"""Generators and coroutines among the flags of code, and what functions and generators have."""

FunctionType, MethodType, partial = types.FunctionType, types.MethodType, functools.partial
PLAIN = frozenset((type, types.BuiltinFunctionType, types.ClassMethodDescriptorType, types.MethodWrapperType, types.WrapperDescriptorType))
Iterator = type(iter(int, 1))
WAITERS = frozenset((Iterator, Items))
"""Iterators that may wait for their next item."""
Context = contextvars.Context
run_in_context = Context.run


class State:
    """What was found of code, by its identity; the code is kept with it."""

    def __init__(self):
        self.found = {}
        self.helpers = ()
        # Functions with a generator function of their own, and the guest's functions that wait.
        self.special = {}
        self.own = set()
        # The context of the thread that runs, and a generator that waits for what a method gives.
        self.current_context = self.item_of = self.wait_on = None


state = State()


def resolve(called):
    """A function that makes a generator, in place of what is called; `None` if that does not wait."""
    kind = type(called)
    if kind is FunctionType:
        return _suspendable(called)
    if kind in PLAIN:
        return None
    if kind is MethodType:
        function = called.__func__
        found = _suspendable(function) if type(function) is FunctionType else None
        return found and MethodType(found, called.__self__)
    if kind is partial:
        found = resolve(called.func)
        return found and partial(found, *called.args, **called.keywords)
    if called is run_in_context:
        return _enter
    if isinstance(called, type):
        return None
    call = getattr(kind, "__call__", None)
    if type(call) is not FunctionType:
        return None
    found = _suspendable(call)
    return found and MethodType(found, called)


def generator_of(function):
    """As `resolve` for the function of a thread, whatever it does; `None` if it has no code of its own."""
    kind = type(function)
    if kind is MethodType and type(function.__func__) is FunctionType:
        found = _suspendable(function.__func__, True)
        return found and MethodType(found, function.__self__)
    if kind is FunctionType:
        return _suspendable(function, True)
    return resolve(function)


def _enter(context, function, /, *arguments, **named):
    """In place of `Context.run`; a thread is in its context whenever it runs."""
    if context is state.current_context():
        found = generator_of(function)
        if found is not None:
            return found(*arguments, **named)
    return _run_plainly(context, function, arguments, named)


def _run_plainly(context, function, arguments, named):
    return context.run(function, *arguments, **named)
    yield


def fetch(iterator):
    """A generator that waits until one of `WAITERS` has its next item, such as `iter(queue.get, None)`."""
    if type(iterator) is Items:
        return iterator.fill()
    try:
        _, (called, _) = iterator.__reduce__()
    except (TypeError, ValueError):
        # It has come to its end.
        return None
    return state.item_of(called)


def _suspendable(function, is_forced=False):
    special = state.special.get(function)
    if special is not None:
        return special
    code = function.__code__
    known = state.found.get(id(code))
    if known is None or is_forced and known[1] is None:
        known = _find(function, code, is_forced)
    made = known[1]
    if made is None:
        return None
    made = FunctionType(made, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    if function.__kwdefaults__:
        made.__kwdefaults__ = function.__kwdefaults__
    return _items_of(made) if code.co_flags & FLAGS == GENERATOR else made


def _items_of(made):
    def make(*arguments, **named):
        return given(Items(made(*arguments, **named), state.wait_on))

    return make


def _find(function, code, is_forced):
    # Also for functions that call each other: what is not known yet does not wait.
    state.found[id(code)] = code, None
    made = None
    if code.co_flags & FLAGS in (OPTIMIZED, GENERATOR) and (is_forced or _may_wait(function, code)):
        made = Assembly(code, state.helpers, thread_code.is_endless(code)).assemble()
    state.found[id(code)] = known = code, made
    return known


def _may_wait(function, code):
    name = code.co_filename
    if name == GUEST:
        return function in state.own
    if name.startswith(LIBRARY) and (name not in WAITING_FILES or code.co_flags & FLAGS == GENERATOR):
        return False
    return thread_code.is_endless(code) or thread_code.may_wait(function, _may_function_wait)


def _may_function_wait(function):
    return function in state.special or _suspendable(function) is not None


def prepare():
    """Finds the functions of the library while the image is made."""
    for module in filter(None, map(sys.modules.get, WAITING_MODULES)):
        things = list(vars(module).values())
        for cls in [thing for thing in things if type(thing) is type]:
            things += vars(cls).values()
        for thing in things:
            if type(thing) is FunctionType:
                _suspendable(thing)
