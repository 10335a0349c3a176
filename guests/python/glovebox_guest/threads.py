"""Threads: what does `threading` do where there is one thread?

A thread runs in `start` until it waits: in `join`, `get`, `acquire`, `result`, `sleep` and what is
made of them. Then it is suspended (`suspension`), and goes on when another thread waits, or at the
end of the program. Where C lies between, as in a function that sorts by a key, it cannot be suspended:
others run on its stack, and a wait that only a thread beneath could end raises, as one does that
nothing could end. A daemon ends with the program (`daemons`). Only the primitives are replaced;
`threading`, `queue`, `concurrent.futures` and what programs build on them stay as they are.
"""

from glovebox_guest.own import __builtins__

import _asyncio
import _thread
import asyncio
import contextvars
import functools
import queue
import sys
import threading
import time
import types

from glovebox_guest import daemons, executor, report, suspension, thread_values
from glovebox_guest.items import SUSPENDED
from glovebox_guest.thread_values import local

NO_END = "this wait would never end: there is one thread, and nothing is left to run that could end the wait"
DEEPEST = 20
"""Threads on one stack from which on none is run at once."""
PATIENCE = 20
"""Timed waits of a thread while one beneath it could go on; more are a loop that waits for that."""
MOST_PAUSES = 200
"""Turns of threads that only pause from which on a wait with a time limit lets them run more slowly."""
LONGEST = 1 << 32
"""Seconds from which on a sleep is an error."""

real_sleep = time.sleep
monotonic = time.monotonic
main_ident = _thread.get_ident()
get_running_loop, set_running_loop = asyncio._get_running_loop, asyncio._set_running_loop
swap_current_task = _asyncio._swap_current_task


class Runner:
    """A thread that has begun and not ended: it is on the stack, or parked."""

    __slots__ = (
        "ident", "daemon", "in_pool", "is_ready", "deadline", "late", "is_left", "is_pausing", "thread", "handle", "call", "generator",
        "context", "values", "loop", "task",
    )

    def __init__(self, ident, daemon=False, in_pool=False, thread=None):
        self.ident = ident
        self.thread = thread
        self.daemon = daemon
        self.in_pool = in_pool
        # What it waits for.
        self.is_ready = self.deadline = None
        self.late = 0
        self.is_left = self.is_pausing = False
        self.handle = self.call = self.generator = self.context = None
        # Its values of the objects that have one for each thread.
        self.values = ()
        self.loop = self.task = None

    def can_go_on(self):
        """Whether it waits for nothing any more."""
        if self.deadline is not None and monotonic() >= self.deadline:
            return True
        return self.is_ready is not None and self.is_ready()


class State:
    """The threads of the program."""

    def __init__(self):
        self.stack = [Runner(main_ident)]
        # Those that are suspended, and those that have not begun, in the order of their turns.
        self.parked = []
        # Those that the program's end has left where they are.
        self.left = []
        self.last_ident = main_ident
        self.ending = False
        # Whether no evaluation follows.
        self.is_last = True


state = State()


class Handle:
    """What a `Thread` knows of its thread."""

    __slots__ = ("ident", "ended", "is_left", "__weakref__")

    def __init__(self):
        self.ident = 0
        self.ended = self.is_left = False

    def is_done(self):
        """Whether it has ended; a daemon that was left in the middle of a sleep has not."""
        return self.ended and not self.is_left

    def join(self, timeout=None):
        """Waits for its end."""
        wait(self._has_ended, None if timeout is None or timeout < 0 else timeout)

    def _has_ended(self):
        return self.ended

    def _set_done(self):
        self.ended = True


class lock:
    """A lock object is a synchronization primitive.

    To create a lock, call threading.Lock().
    """

    __slots__ = ("_held", "__weakref__")

    def __init__(self):
        self._held = False

    def acquire(self, blocking=True, timeout=-1):
        """Lock the lock. Returns whether it was acquired."""
        if timeout != -1 or not blocking:
            _check_timeout(blocking, timeout)
        if self._held and not (blocking and wait(self._is_free, None if timeout == -1 else timeout)):
            return False
        self._held = True
        return True

    def release(self):
        """Release the lock."""
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False

    def locked(self):
        """Whether the lock is held."""
        return self._held

    acquire_lock, release_lock, locked_lock = acquire, release, locked

    def _is_free(self):
        return not self._held

    def _at_fork_reinit(self):
        self._held = False

    def __enter__(self):
        if self._held:
            wait(self._is_free)
        self._held = True
        return True

    def __exit__(self, *_):
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False

    def _is_owned(self):
        """What `Condition` would find out by trying."""
        return self._held

    def __repr__(self):
        return f"<{'locked' if self._held else 'unlocked'} _thread.lock object at {id(self):#x}>"

    def __reduce__(self):
        raise TypeError("cannot pickle '_thread.lock' object")


def _check_timeout(blocking, timeout):
    if not isinstance(timeout, (int, float)):
        raise TypeError(f"'{type(timeout).__name__}' object cannot be interpreted as an integer or float")
    if not blocking and timeout != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0 and timeout != -1:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > threading.TIMEOUT_MAX:
        raise OverflowError("timestamp too large to convert to C PyTime_t")


def wait(is_ready, timeout=None):
    """Lets other threads run until `is_ready()` or the time is up; says which.

    Raises where neither can come.
    """
    if is_ready():
        return True
    me = state.stack[-1]
    before = me.is_ready, me.deadline
    deadline = None if timeout is None else monotonic() + timeout
    me.is_ready, me.deadline = is_ready, deadline
    pauses, limit = 0, None
    try:
        while not is_ready():
            # Others have a turn in each wait, also in one that has no time for it.
            runner, limit = _next(limit), deadline
            if runner is not None:
                pauses = pauses + 1 if runner.is_pausing else 0
                _resume(runner)
                if pauses > MOST_PAUSES and deadline is not None:
                    # Another thread only counts, or waits in a loop.
                    real_sleep(min(0.001, max(0, deadline - monotonic())))
                continue
            due = min((runner.deadline for runner in state.parked if runner.deadline is not None), default=deadline)
            if deadline is not None and monotonic() >= deadline:
                return False
            if due is not None:
                _rest(me, (due if deadline is None else min(due, deadline)) - monotonic())
            else:
                _end_for_ever(me)
        return True
    finally:
        me.is_ready, me.deadline = before


def park(is_ready, timeout=None):
    """As `wait`, in a thread that can be suspended."""
    if is_ready():
        return True
    me = state.stack[-1]
    me.is_ready = is_ready
    me.deadline = None if timeout is None else monotonic() + timeout
    error = yield SUSPENDED
    me.is_ready = me.deadline = None
    if error is not None:
        raise error
    return is_ready()


def _wait_on():
    """Waits for what a thread waits for whose generator has stopped; gives the error of a wait without end."""
    me = state.stack[-1]
    try:
        wait(me.is_ready, None if me.deadline is None else max(0, me.deadline - monotonic()))
    except BaseException as error:
        return error


def pause():
    """Lets others run."""
    me = state.stack[-1]
    me.is_ready = _always
    me.is_pausing = True
    yield SUSPENDED
    me.is_ready = None
    me.is_pausing = False


def _next(deadline):
    """The parked thread whose turn it is; after a deadline, only one whose own came before."""
    now = monotonic()
    is_over = deadline is not None and now >= deadline
    first = None
    for runner in state.parked:
        due = runner.deadline
        if due is not None and due <= now:
            if first is None or first.deadline is not None and due < first.deadline:
                if not is_over or due < deadline:
                    first = runner
        elif first is None and not is_over and runner.is_ready():
            first = runner
    if first is not None:
        state.parked.remove(first)
    return first


def _end_for_ever(me):
    """Ends a wait that has no end: quietly where another thread goes on, otherwise with an error."""
    if me.ident != main_ident and not me.in_pool and (me.daemon and state.ending or _is_another_ready()):
        _end_quietly(me)
    handle = getattr(me.is_ready, "__self__", None)
    for runner in state.parked:
        if runner.handle is handle:
            # The one that it waits for is where the program hangs.
            state.parked.remove(runner)
            return _resume(runner, RuntimeError(NO_END))
    raise RuntimeError(NO_END)


def _end_quietly(me):
    if me.daemon:
        daemons.leave(me)
    if me.thread is not None:
        me.thread._invoke_excepthook = _report_nothing
    raise SystemExit


def _report_nothing(_):
    """In place of `threading.excepthook`, for a thread that could only go on beside another one."""


def _can_others_go_on():
    return None if state.ending else _is_another_ready()


def _is_another_ready():
    return any(runner.can_go_on() for runner in state.stack[:-1])


def _rest(me, seconds):
    """Sleeps; ends a thread that goes on waiting on top of another one that could go on."""
    if me.ident == main_ident or me.in_pool:
        return real_sleep(max(0, seconds))
    if me.daemon:
        # As if it were still asleep when the program goes on.
        limits = [runner.deadline for runner in state.stack[:-1] if runner.deadline is not None]
        left = 0 if state.ending else min(limits, default=monotonic() + seconds + 1) - monotonic()
        if left < seconds:
            real_sleep(max(0, left))
            me.is_left = True
            _end_quietly(me)
    real_sleep(max(0, seconds))
    if _is_another_ready():
        me.late += 1
        if me.late > (0 if me.daemon else PATIENCE):
            _end_quietly(me)


def sleep(seconds, /):
    """sleep(seconds)

    Delay execution for a given number of seconds.  The argument may be
    a floating-point number for subsecond precision.
    """
    if len(state.stack) == 1 and not state.parked or not isinstance(seconds, (int, float)) or not 0 <= seconds < LONGEST:
        return real_sleep(seconds)
    wait(_never, seconds)


def _never():
    return False


def _always():
    return True


def start_joinable_thread(function, handle=None, daemon=True):
    """Starts a thread with a handle."""
    thread = getattr(function, "__self__", None)
    if not isinstance(thread, threading.Thread):
        return _start(function, handle or Handle(), Runner(_new_ident(), daemon))
    if handle is None:
        handle = Handle()
    runner = Runner(_new_ident(), daemon, thread._target is executor.work, thread)
    runner.context = thread._context
    thread._ident = runner.ident
    # Nothing waits for this yet: `start` does so after it has called here.
    thread._started._flag = True
    return _start(function, handle, runner)


def _start(call, handle, runner):
    """Runs a thread until it waits."""
    handle.ident = runner.ident
    runner.handle = handle
    if runner.daemon and state.ending:
        # It would end with the program before it begins.
        return handle
    made = suspension.generator_of(call)
    if made is None:
        runner.call = call
    else:
        runner.generator = made()
    if runner.context is None:
        runner.context = contextvars.Context()
    if len(state.stack) > DEEPEST:
        runner.is_ready = _always
        state.parked.append(runner)
    else:
        _resume(runner)
    return handle


def start_new_thread(function, args, kwargs={}, /):
    """Starts a thread and returns its identity."""
    if not callable(function):
        raise TypeError("first arg must be callable")
    if not isinstance(args, tuple):
        raise TypeError("2nd arg must be a tuple")
    runner = Runner(_new_ident(), True)
    return _start(functools.partial(function, *args, **kwargs), Handle(), runner).ident


def _new_ident():
    state.last_ident += 256
    return state.last_ident


def get_ident():
    """Return a non-zero integer that uniquely identifies the current thread
    amongst other threads that exist simultaneously.
    """
    return state.stack[-1].ident


def _current_context():
    return state.stack[-1].context


def _go(runner, error):
    """Lets a thread go on; says whether it was suspended."""
    if runner.generator is None:
        runner.context.run(runner.call)
        return False
    try:
        runner.context.run(runner.generator.send, error)
    except StopIteration:
        return False
    return True


def _resume(runner, error=None):
    """Runs a thread on top of the stack until it waits or ends."""
    loop = get_running_loop()
    if loop is not None:
        task = swap_current_task(loop, None)
    set_running_loop(runner.loop)
    if runner.task is not None:
        swap_current_task(runner.loop, runner.task)
    values = thread_values.taken()
    thread_values.give(runner.values)
    state.stack.append(runner)
    is_parked = False
    try:
        if runner.daemon or daemons.state.runner is not None:
            is_parked = daemons.run(runner, functools.partial(_go, runner, error), _can_others_go_on)
        else:
            is_parked = _go(runner, error)
    except SystemExit:
        pass
    except BaseException as error:
        sys.unraisablehook(types.SimpleNamespace(
            exc_type=type(error), exc_value=error, exc_traceback=error.__traceback__, object=runner.call,
            err_msg="Exception ignored in thread started by",
        ))
    finally:
        state.stack.pop()
        if is_parked:
            runner.loop = get_running_loop()
            if runner.loop is not None:
                runner.task = swap_current_task(runner.loop, None)
            runner.values = thread_values.taken()
            state.parked.append(runner)
        else:
            runner.handle.ended = True
            runner.handle.is_left = runner.is_left
        thread_values.give(values)
        set_running_loop(loop)
        if loop is not None:
            swap_current_task(loop, task)


real_set, real_wait = threading.Event.set, threading.Event.wait
invoke_excepthook = threading._make_invoke_excepthook()


def event_set(self):
    if self._cond._waiters:
        real_set(self)
    else:
        # Nobody to tell it.
        self._flag = True


def event_wait(self, timeout=None):
    return self._flag or real_wait(self, timeout)


def _invoke_excepthook(thread):
    """Reports without the frames of what stands in for C."""
    error = sys.exception()
    if error is not None:
        error.__traceback__ = report.without_guest(error.__traceback__)
    invoke_excepthook(thread)


def _make_invoke_excepthook():
    """All threads can have the same one."""
    return _invoke_excepthook


def _is_waiting(threads):
    """Whether one of some threads has not begun."""
    return any(runner.thread in threads and runner.is_ready is _always and not runner.is_pausing for runner in state.parked)


def _item_of(method):
    """A generator that waits for the next item of a queue, for a method that gets it."""
    function = getattr(method, "__func__", None)
    if function is not queue.Queue.get and function is not queue.SimpleQueue.get:
        return None
    made = method.__self__
    return None if made.qsize() else park(lambda: made.qsize() > 0)


def end():
    """Runs threads to their ends, and daemons meanwhile.

    In a session those that wait stay for the next evaluation; at its end they are left where they
    are, without `finally`.
    """
    if not state.parked:
        return daemons.rest()
    state.ending = is_last = state.is_last
    try:
        while any(not runner.daemon for runner in state.parked):
            runner = _next(None)
            if runner is not None:
                _resume(runner)
                continue
            # In a session a daemon that only beats must not keep an evaluation from its end.
            due = min(
                (runner.deadline for runner in state.parked if runner.deadline is not None and (is_last or not runner.daemon)),
                default=None,
            )
            if due is not None:
                real_sleep(max(0, due - monotonic()))
            elif is_last:
                runner = next(runner for runner in state.parked if not runner.daemon)
                state.parked.remove(runner)
                _resume(runner, RuntimeError(NO_END))
            else:
                break
    finally:
        state.ending = False
        if is_last:
            state.left += state.parked
            state.parked.clear()
        daemons.rest()


def idle(is_woken, timeout):
    """Waits as an event loop does that has nothing to do; says whether it could."""
    if len(state.stack) == 1 and not state.parked:
        return False
    wait(is_woken, timeout)
    return True


def forget():
    """Drops what was on the stack."""
    if state.last_ident == main_ident:
        return
    del state.stack[1:]
    state.stack[0].is_ready = state.stack[0].deadline = None


def install():
    """Replaces the primitives, where programs and the library take them from."""
    for thing in (lock, local, get_ident, start_new_thread, start_joinable_thread, Handle):
        thing.__module__ = "_thread"
    sleep.__module__ = "time"
    local.__qualname__ = local.__name__ = "_local"
    Handle.__qualname__ = Handle.__name__ = "_ThreadHandle"
    _thread.allocate_lock = _thread.allocate = _thread.lock = _thread.LockType = lock
    _thread.start_new_thread = _thread.start_new = start_new_thread
    _thread.start_joinable_thread = start_joinable_thread
    _thread.get_ident = get_ident
    threading._allocate_lock = threading.Lock = threading._LockType = lock
    threading._CRLock = None
    threading._ThreadHandle = Handle
    threading._start_joinable_thread = start_joinable_thread
    threading.get_ident = get_ident
    threading.local = local
    threading._make_invoke_excepthook = _make_invoke_excepthook
    for function, original in ((event_set, real_set), (event_wait, real_wait)):
        functools.update_wrapper(function, original)
        del function.__wrapped__
        setattr(threading.Event, original.__name__, function)
    time.sleep = sleep
    queue.SimpleQueue = queue._PySimpleQueue
    queue.SimpleQueue.__qualname__ = queue.SimpleQueue.__name__ = "SimpleQueue"
    executor.install(lock(), _is_waiting)
    found = suspension.state
    found.helpers = suspension.resolve, suspension.fetch, suspension.WAITERS, pause
    found.wait_on = _wait_on
    found.current_context = _current_context
    found.item_of = _item_of
    found.special[wait] = park
    found.own.update((lock.acquire, lock.__enter__, Handle.join, sleep, event_wait, idle, executor.work))
