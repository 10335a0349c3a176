# dynamic programming: Fibonacci, coins, paths, partitions, longest runs, matrices
import sys
from bisect import bisect_left
from functools import cache, lru_cache
from itertools import accumulate

sys.setrecursionlimit(10_000)


@cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def fast_fib(n):
    def pair(n):
        if n == 0:
            return 0, 1
        a, b = pair(n >> 1)
        c, d = a * (2 * b - a), a * a + b * b
        return (d, c + d) if n & 1 else (c, d)

    return pair(n)[0]


def coins(amount, kinds):
    ways = [1] + [0] * amount
    fewest = [0] + [None] * amount
    for kind in kinds:
        for total in range(kind, amount + 1):
            ways[total] += ways[total - kind]
    for total in range(1, amount + 1):
        options = [fewest[total - kind] for kind in kinds if kind <= total and fewest[total - kind] is not None]
        fewest[total] = min(options) + 1 if options else None
    return ways[amount], fewest[amount]


@lru_cache(None)
def partitions(n, largest=None):
    largest = n if largest is None else largest
    if n == 0:
        return 1
    return sum(partitions(n - part, part) for part in range(1, min(n, largest) + 1))


def increasing(numbers):
    tails, previous, places = [], [None] * len(numbers), []
    for index, number in enumerate(numbers):
        place = bisect_left(tails, number)
        if place == len(tails):
            tails.append(number)
            places.append(index)
        else:
            tails[place], places[place] = number, index
        previous[index] = places[place - 1] if place else None
    run, index = [], places[-1]
    while index is not None:
        run.append(numbers[index])
        index = previous[index]
    return run[::-1]


def kadane(numbers):
    best = here = numbers[0]
    start = begin = end = 0
    for index, number in enumerate(numbers[1:], 1):
        if here < 0:
            here, begin = number, index
        else:
            here += number
        if here > best:
            best, start, end = here, begin, index
    return best, numbers[start : end + 1]


def chain_order(sizes):
    @cache
    def cost(i, j):
        if i == j:
            return 0, f"M{i}"
        return min((cost(i, k)[0] + cost(k + 1, j)[0] + sizes[i] * sizes[k + 1] * sizes[j + 1], f"({cost(i, k)[1]}{cost(k + 1, j)[1]})") for k in range(i, j))

    return cost(0, len(sizes) - 2)


print([fib(n) for n in range(20)], fib(1500) % 10**20, fast_fib(1500) == fib(1500), len(str(fast_fib(20_000))))
print(coins(100, (1, 5, 10, 25, 50)), coins(63, (1, 5, 10, 21, 25)), coins(3, (2,)))
print([partitions(n) for n in range(15)], partitions(60))
print(increasing([10, 9, 2, 5, 3, 7, 101, 18, 4, 20]), kadane([-2, 1, -3, 4, -1, 2, 1, -5, 4]))
print(chain_order((40, 20, 30, 10, 30)))
grid = [[1, 3, 1, 5], [2, 2, 4, 1], [5, 0, 2, 3]]
best = list(accumulate(grid[0]))
for row in grid[1:]:
    for x, value in enumerate(row):
        best[x] = value + (min(best[x], best[x - 1]) if x else best[x])
print(best[-1])
triangle = [[1]]
for _ in range(8):
    triangle.append([a + b for a, b in zip([0] + triangle[-1], triangle[-1] + [0])])
for row in triangle:
    print(" ".join(f"{n:^4}" for n in row).center(48).rstrip())


def hanoi(n, a="A", b="B", c="C"):
    if n:
        yield from hanoi(n - 1, a, c, b)
        yield n, a, c
        yield from hanoi(n - 1, c, b, a) if False else hanoi(n - 1, b, a, c)


moves = list(hanoi(4))
print(len(moves), moves[:5])
ackermann = cache(lambda m, n: n + 1 if m == 0 else ackermann(m - 1, 1) if n == 0 else ackermann(m - 1, ackermann(m, n - 1)))
print(ackermann(2, 3), ackermann(2, 50), sum(1 for n in range(1, 10**4) if str(n) == str(n)[::-1]))
