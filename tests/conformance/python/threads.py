# threads in the usual patterns
import asyncio
import concurrent.futures
import contextvars
import queue
import threading
import time


class Counter(threading.Thread):
    total = 0
    lock = threading.Lock()

    def run(self):
        for _ in range(100):
            with self.lock:
                Counter.total += 1


counters = [Counter() for _ in range(4)]
for counter in counters:
    counter.start()
for counter in counters:
    counter.join()
print(Counter.total, any(counter.is_alive() for counter in counters), threading.active_count())

tasks, results = queue.Queue(), queue.Queue()


def worker():
    while True:
        task = tasks.get()
        if task is None:
            tasks.task_done()
            break
        results.put(task * task)
        tasks.task_done()


workers = [threading.Thread(target=worker) for _ in range(3)]
for thread in workers:
    thread.start()
for number in range(6):
    tasks.put(number)
for _ in workers:
    tasks.put(None)
tasks.join()
for thread in workers:
    thread.join()
print(sorted(results.queue))


def endless():
    while True:
        print("item", items.get())
        items.task_done()


items = queue.Queue()
threading.Thread(target=endless, daemon=True).start()
for item in "ab":
    items.put(item)
items.join()

stream = queue.Queue(maxsize=2)


def consume():
    while (item := stream.get()) is not None:
        print("consumed", item)


def produce():
    for number in range(2):
        stream.put(number)
    stream.put(None)


pair = [threading.Thread(target=consume, name="consumer"), threading.Thread(target=produce)]
for thread in pair:
    thread.start()
for thread in pair:
    thread.join()

ready, condition, found = threading.Event(), threading.Condition(), []


def wait_for_both():
    ready.wait()
    with condition:
        condition.wait_for(lambda: found, timeout=5)
        print("ready", found)


thread = threading.Thread(target=wait_for_both)
thread.start()
ready.set()
with condition:
    found.append(1)
    condition.notify_all()
thread.join()

barrier = threading.Barrier(3, action=lambda: print("all there"))
group = [threading.Thread(target=barrier.wait) for _ in range(3)]
for thread in group:
    thread.start()
for thread in group:
    thread.join()

local, variable = threading.local(), contextvars.ContextVar("variable", default="default")
local.value = "main"


def own_values():
    print(hasattr(local, "value"), threading.current_thread().name, threading.get_ident() != main)
    local.value = "thread"


main = threading.get_ident()
thread = threading.Thread(target=own_values, name="named")
thread.start()
thread.join()
print(local.value, threading.current_thread() is threading.main_thread())

threading.excepthook = lambda failure: print("failed", failure.exc_type.__name__, failure.thread.name)
thread = threading.Thread(target=lambda: 1 / 0, name="failing")
thread.start()
thread.join()
thread = threading.Thread(target=exit)
thread.start()
thread.join()

cancelled = threading.Timer(0.01, print, ["never"])
cancelled.start()
cancelled.cancel()
timer = threading.Timer(0.01, print, ["fired"])
timer.start()
timer.join()


def slow(number):
    time.sleep(0.001)
    return number + 1


with concurrent.futures.ThreadPoolExecutor(max_workers=2, thread_name_prefix="pool") as pool:
    print(list(pool.map(slow, range(3))), pool.submit(lambda: threading.current_thread().name[:5]).result())
    futures = [pool.submit(slow, number) for number in range(3)]
    print(sorted(future.result() for future in concurrent.futures.as_completed(futures)))
    done, pending = concurrent.futures.wait([pool.submit(int, "x"), pool.submit(slow, 1)])
    print(len(done), len(pending), sorted(str(future.exception()) for future in done))


async def main_task():
    loop = asyncio.get_running_loop()
    results = await asyncio.gather(*(asyncio.to_thread(slow, number) for number in range(2)))
    return [*results, await loop.run_in_executor(None, slow, 5)]


print(asyncio.run(main_task()))
background = asyncio.new_event_loop()
thread = threading.Thread(target=background.run_forever, daemon=True)
thread.start()
print(asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001, "from another loop"), background).result(5))


def last():
    time.sleep(0.01)
    print("last")


threading.Thread(target=last).start()
print("end")
