"""Executor: how do the threads of a `ThreadPoolExecutor` end?

When there is no work, so that no thread waits for ever; the pool starts another one for more.
"""

from glovebox_guest.own import __builtins__

import concurrent.futures.thread
import queue
import threading
import weakref

pool = concurrent.futures.thread
is_waiting = None


def work(executor_reference, context, work_queue):
    """The worker of a thread pool."""
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
    if len(self._threads) >= self._max_workers or is_waiting(self._threads):
        return
    taken = {thread.name for thread in self._threads}
    names = (f"{self._thread_name_prefix or self}_{number}" for number in range(self._max_workers))
    name = next(name for name in names if name not in taken)
    arguments = (weakref.ref(self), self._create_worker_context(), self._work_queue)
    thread = threading.Thread(name=name, target=work, args=arguments)
    self._threads.add(thread)
    thread.start()


def install(shutdown_lock, is_thread_waiting):
    """Replaces the worker, and what starts it."""
    global is_waiting
    is_waiting = is_thread_waiting
    pool._global_shutdown_lock = shutdown_lock
    pool._worker = work
    pool.ThreadPoolExecutor.submit = _submit
    pool.ThreadPoolExecutor._adjust_thread_count = _adjust_thread_count
