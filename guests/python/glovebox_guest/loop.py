"""Event loop: how does `asyncio` wait without sockets, pipes or threads?

An event loop whose selector is the host: it sleeps until a timer is due or one of the host calls in flight has finished. It is the default
loop, so `asyncio.run`, `asyncio.new_event_loop` and top-level `await` all use it.
"""

from glovebox_guest.own import __builtins__

import asyncio
import errno
from asyncio import base_events, events, unix_events

from glovebox_guest import calls, missing, threads


class HostSelector:
    """The part of a selector that `BaseEventLoop._run_once` uses. Its events are numbers of finished calls."""

    def __init__(self, is_woken):
        self.waiting = {}
        self.is_woken = is_woken
        self.evaluation = calls.evaluation[0]

    def select(self, timeout):
        """Waits at most `timeout` seconds (`None`: without end) and names the calls that have finished."""
        waiting = self.waiting
        if waiting and self.evaluation != calls.evaluation[0]:
            # Their evaluation has ended, and with it the calls.
            for future in waiting.values():
                if not future.done():
                    future.set_exception(calls.CallFailed("failed", "the evaluation that made the call has ended"))
            waiting.clear()
            timeout = 0
        if not waiting:
            if (timeout is None or timeout > 0) and not threads.idle(self.is_woken, timeout):
                calls.wait_any([], calls.nanoseconds(timeout))
            return ()
        finished = []
        pending = list(waiting)
        limit = calls.nanoseconds(timeout)
        while pending:
            call = calls.wait_any(pending, limit)
            if call is None or call not in pending:
                break
            pending.remove(call)
            finished.append(call)
            # The rest is only collected, not waited for.
            limit = 0
        return finished

    def close(self):
        """Nothing to give back: calls end with the instance."""


class EventLoop(base_events.BaseEventLoop):
    """An event loop for an interpreter with one thread and no sockets."""

    def __init__(self):
        super().__init__()
        self._selector = HostSelector(lambda: bool(self._ready) or self._stopping)

    def host_call(self, call):
        """A future for a call that was started."""
        future = self.create_future()
        selector = self._selector
        if not selector.waiting:
            selector.evaluation = calls.evaluation[0]
        selector.waiting[call] = future
        return future

    def _process_events(self, event_list):
        for call in event_list:
            future = self._selector.waiting.pop(call, None)
            try:
                result = calls.finish(call)
            except calls.CallFailed as error:
                # A cancelled future still has its call taken, so that the host can forget it.
                if future is not None and not future.done():
                    future.set_exception(error)
            else:
                if future is not None and not future.done():
                    future.set_result(result)

    def _write_to_self(self):
        """There is no other thread that could need to wake this one."""

    def run_in_executor(self, executor, func, *args):
        """Runs `func` in a later turn of the loop, in the only thread there is; executors of processes fail as they always do here."""
        self._check_closed()
        if executor is not None and type(executor).__name__ != "ThreadPoolExecutor":
            return super().run_in_executor(executor, func, *args)
        future = self.create_future()
        self.call_soon(_run_now, future, func, args)
        return future

    async def sock_connect(self, sock, address):
        """Connects at once: the host says no, or it says yes without waiting."""
        sock.setblocking(True)
        sock.connect(address)

    async def _make_subprocess_transport(self, *args, **kwargs):
        raise OSError(errno.ENOTSUP, missing.NO_PROCESSES)


def install():
    """Makes `EventLoop` the default event loop."""
    EventLoop.__module__ = "asyncio.unix_events"
    EventLoop.__qualname__ = EventLoop.__name__ = "_UnixSelectorEventLoop"
    unix_events._UnixDefaultEventLoopPolicy._loop_factory = EventLoop
    threads.suspension.state.own.add(HostSelector.select)
    for module in (asyncio, unix_events):
        module.SelectorEventLoop = EventLoop
        module.EventLoop = EventLoop
    unix_events._UnixSelectorEventLoop = EventLoop


async def result_of(call):
    """The result of a started call; other tasks go on meanwhile. Raises `calls.CallFailed`."""
    running = events.get_running_loop()
    if type(running) is not EventLoop:
        return calls.finish(call)
    return await running.host_call(call)


class SessionLoop:
    """The loop of top-level `await`: made at the first one, kept for the session, so that background tasks go on at the next."""

    def __init__(self):
        self.loop = None

    def run(self, coroutine):
        """Runs a coroutine to its end and returns its value."""
        if self.loop is None or self.loop.is_closed():
            self.loop = EventLoop()
        events.set_event_loop(self.loop)
        task = self.loop.create_task(coroutine)
        try:
            return self.loop.run_until_complete(task)
        except KeyboardInterrupt as interrupt:
            if task.done() or self.loop.is_closed():
                raise
            # It came while the program waited, which must not go on in the next evaluation.
            task.cancel()
            try:
                self.loop.run_until_complete(task)
            except asyncio.CancelledError as cancelled:
                interrupt.__traceback__ = cancelled.__traceback__
            raise interrupt from None


set_running_loop = events._set_running_loop


def _run_now(future, func, args):
    if future.cancelled():
        return
    try:
        result = func(*args)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        future.set_exception(_deliverable(error))
    else:
        if not future.cancelled():
            future.set_result(result)


def _deliverable(error):
    """A future refuses `StopIteration`; executors of `concurrent.futures` turn it into this too."""
    if isinstance(error, StopIteration):
        wrapped = RuntimeError("coroutine raised StopIteration")
        wrapped.__cause__ = error
        return wrapped
    return error
