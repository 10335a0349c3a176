"""Threads: what does `threading` do where there is one thread?

A thread that is started is kept, and runs to its end on the stack of another one that would wait:
in `join`, `get`, `acquire`, `result` or `sleep`, or when the program ends. One whose code names
nothing that waits runs at once, in `start`. A wait without a time limit that only a thread beneath
on the stack could end cannot end: it raises. A daemon ends with the program (`daemons`). Only the
primitives are replaced; `threading`, `queue`, `concurrent.futures` and what programs build on them
stay as they are.
"""

from glovebox_guest.own import __builtins__

import _asyncio
import _thread
import asyncio
import concurrent.futures.thread
import functools
import queue
import sys
import threading
import time
import types
import weakref
from collections import deque

from glovebox_guest import daemons, thread_code
from glovebox_guest.thread_code import WAITS, judge

NO_END = "this wait would never end: there is one thread, and nothing is left to run that could end the wait"
DEEPEST = 20
"""Threads on one stack from which on none is run at once."""
PATIENCE = 20
"""Timed waits of a thread while one beneath it could go on; more are a loop that waits for that."""
RESTLESS = 10
"""Sleeps of a thread from which on others run meanwhile: it may be a loop that waits for them."""

real_sleep = time.sleep
monotonic = time.monotonic
main_ident = _thread.get_ident()
pool_worker = concurrent.futures.thread._worker
pool = concurrent.futures.thread
get_running_loop, set_running_loop = asyncio._get_running_loop, asyncio._set_running_loop
swap_current_task = _asyncio._swap_current_task


class Runner:
    """A thread on the stack."""

    __slots__ = ("ident", "daemon", "in_pool", "is_ready", "deadline", "late", "sleeps", "is_left", "thread")

    def __init__(self, ident, daemon=False, in_pool=False, thread=None):
        self.ident = ident
        self.thread = thread
        self.daemon = daemon
        self.in_pool = in_pool
        # What it waits for while others run above it.
        self.is_ready = self.deadline = None
        self.late = self.sleeps = 0
        self.is_left = False

    def can_go_on(self):
        """Whether it waits for nothing any more."""
        if self.deadline is not None and monotonic() >= self.deadline:
            return True
        return self.is_ready is not None and self.is_ready()


class Started:
    """A thread that was started and has not run yet."""

    __slots__ = ("call", "handle", "runner", "timer", "due")

    def __init__(self, call, handle, runner, timer):
        self.call, self.handle, self.runner, self.timer = call, handle, runner, timer
        self.due = None if timer is None else monotonic() + timer.interval


class State:
    """The threads of the program."""

    def __init__(self):
        self.stack = [Runner(main_ident)]
        self.started = deque()
        self.timers = []
        self.last_ident = main_ident
        self.ending = False
        # The objects with a value for each thread.
        self.locals = []


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
        """Waits for its end. A daemon runs before those that may never come to theirs."""
        for started in state.started:
            if started.handle is self and started.runner.daemon:
                state.started.remove(started)
                state.started.appendleft(started)
                break
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


def wait(is_ready, timeout=None, *, only_timers=False):
    """Lets threads that have not run yet run until `is_ready()` or the time is up; says which.

    Raises where neither can come.
    """
    if is_ready():
        return True
    me = state.stack[-1]
    before = me.is_ready, me.deadline
    deadline = None if timeout is None else monotonic() + timeout
    me.is_ready, me.deadline = is_ready, deadline
    try:
        while not is_ready():
            remaining = None if deadline is None else deadline - monotonic()
            if remaining is not None and remaining <= 0:
                return False
            started = _next(deadline, only_timers)
            if started is not None:
                _run_started(started)
            elif remaining is None:
                _end_for_ever(me)
            else:
                _rest(me, remaining)
        return True
    finally:
        me.is_ready, me.deadline = before


def _next(deadline, only_timers):
    """The thread to run next, if there is one; sleeps until the next timer where that is it."""
    if state.started and not only_timers:
        return state.started.popleft()
    if not state.timers:
        return None
    first = min(state.timers, key=lambda timer: timer.due)
    for timer in state.timers:
        if timer.timer.finished.is_set():
            first = timer
    if not first.timer.finished.is_set():
        if deadline is not None and first.due > deadline:
            return None
        real_sleep(max(0, first.due - monotonic()))
        first.timer.interval = 0
    state.timers.remove(first)
    return first


def _end_for_ever(me):
    """Ends a wait that has no end: quietly where another thread goes on, otherwise with an error."""
    if me.ident != main_ident and not me.in_pool and (me.daemon and state.ending or _is_another_ready()):
        _end_quietly(me)
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
    """Sleeps; ends a thread that goes on waiting although another could go on."""
    if me.ident == main_ident or me.in_pool:
        return real_sleep(seconds)
    if me.daemon:
        # As if it were still asleep when the program goes on.
        limits = [runner.deadline for runner in state.stack[:-1] if runner.deadline is not None]
        left = 0 if state.ending else min(limits, default=monotonic() + seconds + 1) - monotonic()
        if left < seconds:
            real_sleep(max(0, left))
            me.is_left = True
            _end_quietly(me)
    real_sleep(seconds)
    if _is_another_ready():
        me.late += 1
        if me.late > (0 if me.daemon else PATIENCE):
            _end_quietly(me)


def sleep(seconds, /):
    """sleep(seconds)

    Delay execution for a given number of seconds.  The argument may be
    a floating-point number for subsecond precision.
    """
    me = state.stack[-1]
    if me.ident == main_ident and not state.started and not state.timers:
        return real_sleep(seconds)
    if not isinstance(seconds, (int, float)) or not seconds >= 0:
        return real_sleep(seconds)
    me.sleeps += 1
    # Threads do not run while another one sleeps, so that they end in the order of their starts.
    wait(_never, seconds or 1e-9, only_timers=me.ident != main_ident and me.sleeps < RESTLESS)


def _never():
    return False


def start_joinable_thread(function, handle=None, daemon=True):
    """Starts a thread with a handle."""
    thread = getattr(function, "__self__", None)
    if not isinstance(thread, threading.Thread):
        return _start(function, function, handle or Handle(), Runner(_new_ident(), daemon))
    if handle is None:
        handle = Handle()
    target = thread._target if type(thread).run is threading.Thread.run else thread.run
    in_pool = thread._target is _work
    runner = Runner(_new_ident(), daemon, in_pool, thread)
    thread._ident = runner.ident
    # Nobody waits for this yet: `start` does so after it has called here.
    thread._started._flag = True
    return _start(function, None if in_pool else target, handle, runner)


def _start(call, named, handle, runner):
    """Runs a thread, or keeps it for later, by the code of the function that it names."""
    handle.ident = runner.ident
    daemon, thread = runner.daemon, runner.thread
    if runner.in_pool:
        found = max((judge(item.task[0]) & WAITS for item in thread._args[2]._queue if item is not None), default=0)
    else:
        found = judge(named)
    if daemon and state.ending:
        # It would end with the program before it begins.
        return handle
    if thread is not None and isinstance(thread, threading.Timer):
        state.timers.append(Started(call, handle, runner, thread))
    elif found & WAITS or daemon and found or len(state.stack) > DEEPEST:
        state.started.append(Started(call, handle, runner, None))
    else:
        _run(call, handle, runner)
    return handle


def start_new_thread(function, args, kwargs={}, /):
    """Starts a thread and returns its identity."""
    if not callable(function):
        raise TypeError("first arg must be callable")
    if not isinstance(args, tuple):
        raise TypeError("2nd arg must be a tuple")
    call = functools.partial(function, *args, **kwargs)
    return _start(call, function, Handle(), Runner(_new_ident(), True)).ident


def _new_ident():
    state.last_ident += 256
    return state.last_ident


def get_ident():
    """Return a non-zero integer that uniquely identifies the current thread
    amongst other threads that exist simultaneously.
    """
    return state.stack[-1].ident


def _run_started(started):
    _run(started.call, started.handle, started.runner)


def _run(call, handle, runner):
    """Runs a thread to its end on top of the stack."""
    loop = get_running_loop()
    if loop is not None:
        task = swap_current_task(loop, None)
        set_running_loop(None)
    state.stack.append(runner)
    values = [(entry[0], dict(entry[0].__dict__)) for entry in _locals()] if state.locals else ()
    try:
        if state.locals:
            _clear_all()
        if runner.daemon or daemons.state.runner is not None:
            daemons.run(runner, call, _can_others_go_on)
        else:
            call()
    except SystemExit:
        pass
    except BaseException as error:
        sys.unraisablehook(types.SimpleNamespace(
            exc_type=type(error), exc_value=error, exc_traceback=error.__traceback__, object=call,
            err_msg="Exception ignored in thread started by",
        ))
    finally:
        state.stack.pop()
        handle.ended = True
        handle.is_left = runner.is_left
        if state.locals:
            _clear_all()
        for kept, content in values:
            kept.__dict__.clear()
            kept.__dict__.update(content)
        if loop is not None:
            set_running_loop(loop)
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


def _make_invoke_excepthook():
    """All threads can have the same one."""
    return invoke_excepthook


class local(_thread._local):
    """Thread-local data"""

    __slots__ = ()

    def __new__(cls, /, *arguments, **named):
        self = _thread._local.__new__(cls, *arguments, **named)
        state.locals.append((weakref.ref(self), arguments, named))
        return self


def _locals():
    """The objects with a value for each thread, and what they were made with."""
    state.locals = [entry for entry in state.locals if entry[0]() is not None]
    return [(entry[0](), *entry[1:]) for entry in state.locals]


def _clear_all():
    for entry in _locals():
        _clear(*entry)


def _clear(kept, arguments, named):
    """Makes it what it is in a thread that has just begun."""
    kept.__dict__.clear()
    if type(kept).__init__ is not object.__init__:
        kept.__init__(*arguments, **named)


def _work(executor_reference, context, work_queue):
    """The worker of a thread pool: ends when there is no work; the pool starts another one for more."""
    try:
        context.initialize()
    except BaseException:
        pool._base.LOGGER.critical("Exception in initializer:", exc_info=True)
        executor = executor_reference()
        if executor is not None:
            executor._initializer_failed()
        return
    try:
        while True:
            try:
                item = work_queue.get_nowait()
            except queue.Empty:
                return
            if item is None:
                work_queue.put(None)
                return
            item.run(context)
            del item
    finally:
        context.finalize()


def _submit(self, fn, /, *args, **kwargs):
    with self._shutdown_lock:
        if self._broken:
            raise self.BROKEN(self._broken)
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = pool._base.Future()
        self._work_queue.put(pool._WorkItem(future, self._resolve_work_item_task(fn, args, kwargs)))
    _adjust_thread_count(self)
    return future


def _adjust_thread_count(self):
    """Starts a worker where none is left that will take the new work."""
    self._threads = {thread for thread in self._threads if not thread._os_thread_handle.ended}
    on_stack = {runner.ident for runner in state.stack}
    if len(self._threads) >= self._max_workers or any(thread.ident not in on_stack for thread in self._threads):
        return
    name = f"{self._thread_name_prefix or self}_{len(self._threads)}"
    reference = pool.weakref.ref(self)
    thread = threading.Thread(name=name, target=_work, args=(reference, self._create_worker_context(), self._work_queue))
    self._threads.add(thread)
    thread.start()


def end():
    """Runs what was started and has not run; daemons as far as they do not wait."""
    if not state.started and not state.timers:
        return daemons.rest()
    state.ending = True
    try:
        while state.started or any(not timer.runner.daemon for timer in state.timers):
            state.timers = [timer for timer in state.timers if not timer.runner.daemon]
            started = _next(None, False)
            if started is not None:
                _run_started(started)
    finally:
        state.ending = False
        state.timers.clear()
        thread_code.forget()
        daemons.rest()


def idle(is_woken, timeout):
    """Waits as an event loop does that has nothing to do; says whether it could."""
    if len(state.stack) == 1 and not state.started and not state.timers:
        return False
    wait(is_woken, timeout)
    return True


def forget():
    """Drops what was started, and what was on the stack."""
    if state.last_ident == main_ident:
        return
    state.started.clear()
    state.timers.clear()
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
    pool._global_shutdown_lock = lock()
    pool._worker = _work
    pool.ThreadPoolExecutor.submit = _submit
    pool.ThreadPoolExecutor._adjust_thread_count = _adjust_thread_count
