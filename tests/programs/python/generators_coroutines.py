# generators: pipelines, send, throw, close, yield from, lazy files
import inspect
import sys
from collections.abc import Generator


def read_lines(path):
    with open(path) as file:
        print("opened")
        try:
            yield from file
        finally:
            print("closing")


def grep(pattern, lines):
    return (line for line in lines if pattern in line)


def numbered(lines):
    for number, line in enumerate(lines, 1):
        yield f"{number:>3}: {line.rstrip()}"


def averager():
    total = count = 0
    average = None
    while True:
        try:
            value = yield average
        except ValueError as error:
            print("ignored", error)
            continue
        except GeneratorExit:
            print("closed at", average)
            raise
        if value is None:
            return total, count
        total, count = total + value, count + 1
        average = total / count


def delegate(results):
    while True:
        result = yield from averager()
        results.append(result)
        print("partial", result)


def flatten(items):
    for item in items:
        if isinstance(item, (list, tuple)):
            yield from flatten(item)
        else:
            yield item


class Countdown:
    def __init__(self, start):
        self.start = start

    def __iter__(self):
        n = self.start
        while n:
            yield n
            n -= 1

    def __reversed__(self):
        return iter(range(1, self.start + 1))


def fib():
    a, b = 0, 1
    while True:
        a, b = b, a + b
        yield a


with open("lines.txt", "w") as file:
    file.writelines(f"{'error' if n % 4 == 0 else 'fine'} {n}\n" for n in range(12))
for line in numbered(grep("error", read_lines("lines.txt"))):
    print(line)
average = averager()
print(next(average), average.send(10), average.send(20), average.throw(ValueError("bad")), average.send(3))
average.close()
results = []
outer = delegate(results)
next(outer)
for value in (1, 2, None, 5, None):
    outer.send(value)
print(results, inspect.getgeneratorstate(outer), isinstance(outer, Generator))
print(list(flatten([1, [2, (3, [4, []])], "ab"])), list(Countdown(3)), list(reversed(Countdown(3))))
print([x for x, _ in zip(fib(), range(15))], sum(x for x in fib().__class__ and range(5)))
gen = (n * n for n in range(3))
print(next(gen), list(gen), next(gen, "done"), sys.getsizeof([0] * 10) > 0)
try:
    next(gen)
except StopIteration as stop:
    print("stop", stop.value)


def bad():
    yield 1
    raise StopIteration("x")


try:
    list(bad())
except RuntimeError as error:
    print(error, repr(error.__cause__))
first, *middle, last = Countdown(5)
print(first, middle, last, [*Countdown(2), *"xy"], {**{"a": 1}, "b": 2}, max(Countdown(4), key=lambda n: n % 3))
squares = {n: n**2 for n in range(5) if n % 2}
print(squares, {n % 3 for n in range(10)}, all(n < 5 for n in squares), any([]), list(map(lambda a, b: a + b, [1, 2], [3, 4])), list(zip([1, 2], "ab", strict=True)))
