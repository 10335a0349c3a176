# threads that sleep, wait and hold locks go on beside each other
import asyncio
import contextlib
import functools
import queue
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, as_completed, wait


def all_of(*targets, daemon=False):
    threads = [threading.Thread(target=target, daemon=daemon) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# Daemons that sleep in their loop take every item.
tasks, seen = queue.Queue(), []


def work():
    while True:
        item = tasks.get()
        time.sleep(0.002)
        seen.append(item)
        tasks.task_done()


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
for item in range(40):
    tasks.put(item)
tasks.join()
print(sorted(seen) == list(range(40)))

# The shortest sleep ends first, and all of them last as long as the longest.
ended, begun = [], time.monotonic()
all_of(*(functools.partial(lambda n: (time.sleep(0.1 * n), ended.append(n)), n) for n in (3, 1, 2)))
print(ended, 0.25 < time.monotonic() - begun < 0.55)

# A loop that only counts lets others run, also where it is what ends it that has to run.
count, is_running = 0, True


def counts():
    global count
    while is_running:
        count += 1


counter = threading.Thread(target=counts)
counter.start()
time.sleep(0.02)
is_running = False
counter.join()
print(count > 0)

# Turns by events.
first, second, log = threading.Event(), threading.Event(), []


def turns(name, mine, other):
    for _ in range(3):
        mine.wait()
        mine.clear()
        log.append(name)
        other.set()


first.set()
all_of(functools.partial(turns, "ping", first, second), functools.partial(turns, "pong", second, first))
print(log)

# Locks that are held in a sleep: in a method, behind a decorator and in a context manager.
lock, total = threading.Lock(), 0


def locked(function):
    @functools.wraps(function)
    def wrapper(*arguments, **named):
        with lock:
            return function(*arguments, **named)

    return wrapper


@locked
def add(amount):
    global total
    before = total
    time.sleep(0.0005)
    total = before + amount


@contextlib.contextmanager
def holding():
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def add_in_block():
    global total
    with holding():
        before = total
        time.sleep(0.0005)
        total = before + 1


all_of(*[lambda: [add(1) for _ in range(5)]] * 4, *[add_in_block] * 3)
print(total)


class Account:
    def __init__(self):
        self.balance, self.changed = 0, threading.Condition(threading.RLock())

    def deposit(self, amount):
        with self.changed:
            self.balance += amount
            self.changed.notify_all()

    def withdraw(self, amount):
        with self.changed:
            if not self.changed.wait_for(lambda: self.balance >= amount, timeout=5):
                raise RuntimeError("no funds")
            self.balance -= amount


account = Account()
all_of(*[lambda: account.withdraw(30)] * 2, *[lambda: account.deposit(20)] * 4)
print(account.balance)

# Phases of a barrier, and philosophers.
barrier, phases = threading.Barrier(3), []


def party(number):
    for phase in range(3):
        phases.append(phase)
        barrier.wait()


all_of(*(functools.partial(party, number) for number in range(3)))
print(phases)
forks, meals = [threading.Lock() for _ in range(5)], [0] * 5


def dine(number):
    low, high = sorted((number, (number + 1) % 5))
    for _ in range(3):
        with forks[low], forks[high]:
            meals[number] += 1
            time.sleep(0.0005)


all_of(*(functools.partial(dine, number) for number in range(5)))
print(meals)


# A pool gives results in the order in which they come; a task may wait for another one.
def job(number):
    time.sleep(0.05 * number)
    return number


with ThreadPoolExecutor(4) as pool:
    print([future.result() for future in as_completed([pool.submit(job, number) for number in (3, 2, 1, 0)])])
    done, pending = wait([pool.submit(job, number) for number in (0, 4)], return_when=FIRST_COMPLETED)
    print(len(done), len(pending), pool.submit(lambda: pool.submit(job, 1).result() + 1).result())
    late = pool.submit(job, 2)
    try:
        late.result(timeout=0.01)
    except TimeoutError:
        print("late", late.done(), late.result())


# Each thread keeps its own values and its own error over a wait.
local, kept = threading.local(), []


def own(number):
    local.value = number
    try:
        raise KeyError(number)
    except KeyError as error:
        time.sleep(0.01 * (3 - number))
        try:
            raise
        except KeyError as again:
            kept.append((local.value, again is error))


all_of(*(functools.partial(own, number) for number in range(3)))
print(sorted(kept), hasattr(local, "value"))


# A loop in a thread, and threads beside a loop.
loop = asyncio.new_event_loop()
runner = threading.Thread(target=loop.run_forever)
runner.start()
print(asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001, "from the loop"), loop).result())
loop.call_soon_threadsafe(loop.stop)
runner.join()
loop.close()
