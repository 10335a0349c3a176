# a wait that nothing can end raises, one with a time limit ends
# only = "threads of a container run beside each other"
import concurrent.futures
import queue
import threading
import time


def twice():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def full():
    small = queue.Queue(1)
    small.put(1)
    small.put(2)


def unfinished():
    tasks = queue.Queue()
    tasks.put(1)
    tasks.join()


def notified():
    condition = threading.Condition()
    with condition:
        condition.wait()


for wait in [
    twice, full, unfinished, notified, queue.Queue().get, queue.SimpleQueue().get, concurrent.futures.Future().result,
    threading.Event().wait, threading.Semaphore(0).acquire, threading.Barrier(2).wait,
]:
    try:
        print(wait())
    except RuntimeError as error:
        print(wait.__name__, error)
try:
    threading.current_thread().join()
except RuntimeError as error:
    print(error)

for wait in [
    lambda: threading.Event().wait(0.02), lambda: queue.Queue().get(timeout=0.02), lambda: concurrent.futures.Future().result(0.02),
    lambda: concurrent.futures.wait([concurrent.futures.Future()], 0.02).done,
]:
    start = time.monotonic()
    try:
        print(wait(), end=" ")
    except (queue.Empty, TimeoutError) as error:
        print(type(error).__name__, end=" ")
    print(0.015 < time.monotonic() - start < 5)


def beats():
    while not stop.is_set():
        print("beat")
        time.sleep(0.4)


stop = threading.Event()
thread = threading.Thread(target=beats, daemon=True)
thread.start()
time.sleep(0.6)
stop.set()
thread.join()
threading.Thread(target=queue.Queue().get, daemon=True).start()
print("end")
