# threads: a pool, locks, an event, thread-local data
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

TEXTS = ["the quick brown fox", "jumps over the lazy dog", "the end", ""]


def count_words(text):
    if not text:
        raise ValueError("empty text")
    return len(text.split())


with ThreadPoolExecutor(max_workers=3, thread_name_prefix="words") as pool:
    futures = {pool.submit(count_words, text): text for text in TEXTS}
    results = {}
    for future in as_completed(futures):
        try:
            results[futures[future]] = future.result()
        except ValueError as error:
            results[futures[future]] = repr(error)
    for text in TEXTS:
        print(f"{text!r}: {results[text]}")
    print(list(pool.map(pow, range(5), [2] * 5)))


class Counter:
    def __init__(self):
        self.value = 0
        self.lock = threading.Lock()

    def add(self, times):
        for _ in range(times):
            with self.lock:
                self.value += 1


counter = Counter()
threads = [threading.Thread(target=counter.add, args=(1000,), name=f"t{n}") for n in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counter.value, [thread.is_alive() for thread in threads], threads[0].name)

jobs, done = queue.Queue(), []


def worker():
    while True:
        job = jobs.get()
        if job is None:
            break
        done.append(job**2)
        jobs.task_done()


workers = [threading.Thread(target=worker) for _ in range(2)]
for thread in workers:
    thread.start()
for number in range(10):
    jobs.put(number)
jobs.join()
for _ in workers:
    jobs.put(None)
for thread in workers:
    thread.join()
print(sorted(done))
ready = threading.Event()
timer = threading.Timer(0.01, ready.set)
timer.start()
print(ready.wait(2), ready.is_set())
local = threading.local()
local.value = "main"
seen = []
thread = threading.Thread(target=lambda: seen.append(hasattr(local, "value")))
thread.start()
thread.join()
print(seen, local.value, threading.current_thread().name, threading.active_count())
start = time.monotonic()
time.sleep(0.02)
print(time.monotonic() - start >= 0.02)
