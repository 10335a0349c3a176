# itertools and functools at work
import operator
from functools import partial, reduce, singledispatch, total_ordering, wraps
from itertools import (
    accumulate, batched, chain, combinations, combinations_with_replacement, compress, count, cycle, dropwhile,
    filterfalse, groupby, islice, pairwise, permutations, product, repeat, starmap, takewhile, tee, zip_longest,
)


def primes():
    composites = {}
    for n in count(2):
        if n not in composites:
            yield n
            composites[n * n] = [n]
        else:
            for prime in composites.pop(n):
                composites.setdefault(prime + n, []).append(prime)


def collatz(n):
    while n != 1:
        yield n
        n = n // 2 if n % 2 == 0 else 3 * n + 1
    yield 1


print(list(islice(primes(), 15)), next(p for p in primes() if p > 1000))
print(max(range(1, 1000), key=lambda n: sum(1 for _ in collatz(n))), list(collatz(6)))
print(list(accumulate([3, 1, 4, 1, 5], max)), list(accumulate(range(1, 6), operator.mul, initial=1)))
print([("".join(p)) for p in permutations("abc")], len(list(combinations(range(10), 3))))
print(list(combinations_with_replacement("ab", 2)), list(product([0, 1], repeat=2)))
print(list(batched("abcdefg", 3)), list(pairwise([1, 2, 4, 8])), list(zip_longest("ab", "xyz", fillvalue="-")))
print(list(takewhile(lambda x: x < 5, [1, 4, 6, 2])), list(dropwhile(lambda x: x < 5, [1, 4, 6, 2])), list(filterfalse(str.isalpha, "a1b2")))
print(list(compress("ABCDEF", cycle([1, 0]))), list(starmap(pow, [(2, 5), (3, 2)])), list(chain.from_iterable([[1], [2, 3]])))
a, b = tee(iter(range(4)))
print(list(zip(a, islice(b, 1, None))), list(repeat("x", 3)))
run_length = [(char, len(list(group))) for char, group in groupby("aaabccdddd")]
print(run_length, "".join(char * n for char, n in run_length))
print(reduce(lambda a, b: a * 10 + b, [1, 2, 3]), partial(int, base=2)("1011"), partial(print, sep="-"))


@singledispatch
def describe(value):
    return f"something {value!r}"


@describe.register
def _(value: int):
    return f"number {value}"


@describe.register(list)
@describe.register(tuple)
def _(value):
    return f"{len(value)} of [{', '.join(map(describe, value))}]"


print(describe([1, ("a", 2)]), describe.registry.keys() >= {int, list})


def logged(prefix):
    def decorate(function):
        @wraps(function)
        def inner(*args, **kwargs):
            result = function(*args, **kwargs)
            print(prefix, function.__name__, args, kwargs, "->", result)
            return result

        return inner

    return decorate


@logged("call:")
def area(width, *, height=2):
    """The area."""
    return width * height


area(3, height=4)
print(area(1), area.__doc__, area.__wrapped__(5))


@total_ordering
class Version:
    def __init__(self, text):
        self.parts = tuple(map(int, text.split(".")))

    def __eq__(self, other):
        return self.parts == other.parts

    def __lt__(self, other):
        return self.parts < other.parts

    def __repr__(self):
        return ".".join(map(str, self.parts))


versions = [Version(v) for v in ("1.10", "1.2.3", "1.2", "0.9.9")]
print(sorted(versions), Version("2.0") >= Version("1.9"), max(versions))
print(sorted([("b", 2), ("a", 2), ("c", 1)], key=operator.itemgetter(1, 0)), list(map(operator.methodcaller("upper"), "ab")))
