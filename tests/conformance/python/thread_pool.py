# the thread pools of `multiprocessing`
import multiprocessing.dummy
import time
from multiprocessing.pool import ThreadPool


def slow(number):
    time.sleep(0.001)
    return number * 2


def add(first, second=10):
    return first + second


with ThreadPool(3) as pool:
    print(pool.map(slow, range(4)), pool.starmap(add, [(1, 2), (3, 4)]), pool.apply(add, (1,), {"second": 5}))
    print(list(pool.imap(slow, range(3))), sorted(pool.imap_unordered(slow, range(3))), pool.map(slow, []))
    later = pool.apply_async(slow, (4,), callback=lambda result: print("called with", result))
    print(later.get(timeout=5), later.ready(), later.successful())
    failed = pool.map_async(int, ["1", "x"], error_callback=lambda error: print(type(error).__name__))
    failed.wait()
    try:
        failed.get()
    except ValueError as error:
        print(error)

pool = multiprocessing.dummy.Pool(2)
print(pool.map(str, range(3)))
pool.close()
pool.join()
try:
    pool.apply(str)
except ValueError as error:
    print(error)
