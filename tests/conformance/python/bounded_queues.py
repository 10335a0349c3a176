# a producer that waits for room in a queue, and a consumer that makes it
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

END = object()


def produce(work, count):
    for number in range(count):
        work.put(number)
    work.put(END)


def consume(work, taken):
    while (item := work.get()) is not END:
        taken.append(item)
        work.task_done()
    work.task_done()


def both(kind, size, first, daemon=False):
    work, taken = kind(maxsize=size), []
    producer = threading.Thread(target=produce, args=(work, 10), daemon=daemon)
    consumer = threading.Thread(target=consume, args=(work, taken), daemon=daemon)
    for thread in (producer, consumer) if first == "producer" else (consumer, producer):
        thread.start()
    for thread in (producer, consumer):
        thread.join()
    return taken == list(range(10)), work.empty(), work.maxsize, producer.is_alive(), consumer.is_alive()


for size in (1, 2, 3):
    for first in ("producer", "consumer"):
        print(size, first, both(queue.Queue, size, first), both(queue.Queue, size, first, True))


def serve(work, done):
    while True:
        item = work.get()
        done.append(item * 2)
        work.task_done()


work, done = queue.Queue(2), []
for _ in range(2):
    threading.Thread(target=serve, args=(work, done), daemon=True).start()
for number in range(12):
    work.put(number)
work.join()
print(sorted(done), work.unfinished_tasks)

stages = [queue.Queue(1), queue.Queue(1)]
results = []


def pass_on():
    while (item := stages[0].get()) is not None:
        stages[1].put(item + 100)
    stages[1].put(None)


def collect():
    while (item := stages[1].get()) is not None:
        results.append(item)


threads = [threading.Thread(target=target) for target in (collect, pass_on)]
for thread in threads:
    thread.start()
for number in range(5):
    stages[0].put(number)
stages[0].put(None)
for thread in threads:
    thread.join(timeout=5)
print(results, [thread.is_alive() for thread in threads])

shared = queue.Queue(maxsize=1)
with ThreadPoolExecutor(2) as pool:
    sent = pool.submit(produce, shared, 6)
    taken = []
    received = pool.submit(consume, shared, taken)
    print(sent.result(), received.result(), taken)

small = queue.Queue(maxsize=1)
small.put("only")
for action in (lambda: small.put("more", block=False), lambda: small.put_nowait("more"), lambda: small.put("more", timeout=0.01)):
    try:
        action()
    except queue.Full as error:
        print("full", repr(error), small.full(), small.qsize())
