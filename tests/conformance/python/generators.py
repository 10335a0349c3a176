# generators, iterators, comprehensions and itertools
import itertools
from collections import Counter, defaultdict, deque, namedtuple
from functools import lru_cache, partial, reduce


def echo():
    received = yield "start"
    while True:
        received = yield f"got {received}"


talk = echo()
print(next(talk), talk.send(1), talk.send("two"))


def chained():
    yield from range(2)
    result = yield from inner()
    yield result


def inner():
    yield "inner"
    return "result"


print(list(chained()))
print(list(itertools.islice(itertools.accumulate(itertools.count(1)), 5)), list(itertools.pairwise("abc")))
print([key + str(len(list(group))) for key, group in itertools.groupby("aabbbc")])
print({n: n * n for n in range(3)}, {n % 2 for n in range(5)}, [(a, b) for a in "xy" for b in range(2)])
print(Counter("mississippi").most_common(2), deque([1, 2, 3], maxlen=2), namedtuple("Point", "x y")(1, 2))


@lru_cache
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


print(fibonacci(90), reduce(lambda a, b: a * b, range(1, 6)), partial(int, base=2)("101"))
