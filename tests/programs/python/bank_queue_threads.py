# producers and consumers on threads with a condition, a semaphore and a barrier
import queue
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, wait


class BoundedBuffer:
    def __init__(self, size):
        self.items, self.size = [], size
        self.condition = threading.Condition()

    def put(self, item):
        with self.condition:
            self.condition.wait_for(lambda: len(self.items) < self.size)
            self.items.append(item)
            self.condition.notify_all()

    def get(self):
        with self.condition:
            self.condition.wait_for(lambda: self.items)
            item = self.items.pop(0)
            self.condition.notify_all()
            return item


buffer, results = BoundedBuffer(3), defaultdict(list)


def produce(name, count):
    for n in range(count):
        buffer.put((name, n))


def consume(count):
    for _ in range(count):
        name, n = buffer.get()
        results[name].append(n)


threads = [threading.Thread(target=produce, args=("a", 6)), threading.Thread(target=produce, args=("b", 4)), threading.Thread(target=consume, args=(10,))]
for t in threads:
    t.start()
for t in threads:
    t.join(timeout=5)
print({name: numbers for name, numbers in sorted(results.items())}, any(t.is_alive() for t in threads))

semaphore, active, most = threading.BoundedSemaphore(2), 0, 0
lock = threading.RLock()


def limited(n):
    global active, most
    with semaphore:
        with lock, lock:
            active += 1
            most = max(most, active)
        time.sleep(0.001)
        with lock:
            active -= 1
    return n * n


with ThreadPoolExecutor(4) as pool:
    futures = [pool.submit(limited, n) for n in range(6)]
    done, pending = wait(futures)
    print(sorted(f.result() for f in done), len(pending), most <= 2)
try:
    semaphore.release()
except ValueError as error:
    print("ValueError:", error)

priority = queue.PriorityQueue()
for item in ((3, "low"), (1, "urgent"), (2, "normal")):
    priority.put(item)
print([priority.get()[1] for _ in range(priority.qsize())])
stack = queue.LifoQueue(maxsize=2)
stack.put(1), stack.put(2)
try:
    stack.put_nowait(3)
except queue.Full as error:
    print("full", repr(error))
print(stack.get(), stack.get())
try:
    stack.get(timeout=0.01)
except queue.Empty as error:
    print("empty", repr(error))


class Worker(threading.Thread):
    def __init__(self, number):
        super().__init__(name=f"worker-{number}", daemon=True)
        self.number, self.result, self.stopped = number, None, threading.Event()

    def run(self):
        self.result = sum(range(self.number))
        self.stopped.set()


workers = [Worker(n) for n in (10, 100)]
[w.start() for w in workers]
[w.stopped.wait(1) for w in workers]
print([(w.name, w.result, w.daemon) for w in workers])


def failing():
    raise RuntimeError("in a thread")


seen = []
threading.excepthook = lambda args: seen.append((args.exc_type.__name__, str(args.exc_value), args.thread.name))
t = threading.Thread(target=failing, name="bad")
t.start()
t.join()
print(seen)
future = ThreadPoolExecutor(1).submit(failing)
print(type(future.exception(1)).__name__, future.done(), future.cancelled(), future.cancel())
future = ThreadPoolExecutor(1).submit(pow, 2, 10)
future.add_done_callback(lambda f: print("callback", f.result()))
print(future.result())
barrier = threading.Barrier(1)
print(barrier.wait(), barrier.parties, barrier.broken)
