# functions, default arguments, closures, recursion and f-strings
import math


def greet(name, *, greeting="Hello", times=1):
    return "\n".join(f"{greeting}, {name}!" for _ in range(times))


def make_multiplier(n):
    def multiply(x):
        nonlocal calls
        calls += 1
        return x * n

    calls = 0
    multiply.calls = lambda: calls
    return multiply


def append_to(item, items=[]):
    items.append(item)
    return items


def stats(*numbers, **options):
    digits = options.get("digits", 2)
    return {"count": len(numbers), "mean": round(sum(numbers) / len(numbers), digits) if numbers else None}


print(greet("World"))
print(greet(name="Ann", greeting="Hi", times=2))
double, triple = make_multiplier(2), make_multiplier(3)
print(double(5), triple("ab"), double(double(1)), double.calls(), triple.calls())
print(append_to(1), append_to(2), append_to(3, []))
print(stats(1, 2, 3.5), stats(), stats(*range(10), **{"digits": 4}))
fizz = ["FizzBuzz" if n % 15 == 0 else "Fizz" if n % 3 == 0 else "Buzz" if n % 5 == 0 else n for n in range(1, 16)]
print(*fizz, sep=", ")
value, name = 1234.5678, "π"
print(f"{value:.2f}|{value:>12,.1f}|{value:<10.0f}|{value:^+12.3e}|{name!r}|{math.pi:{10}.{4}f}|{value=:.1f}|{name + 'x' = }|{{}}|{255:#06x}|{True:5}|{None!s:>6}")
print(f"{'nested ' + f'{name:*^5}'} {[x for x in range(3)]} {(lambda x: x * 2)(4)} {'a' if value > 1 else 'b'}")
for table in range(1, 4):
    print("  ".join(f"{table}x{n}={table * n:<2}" for n in range(1, 6)))
factorial = lambda n: 1 if n == 0 else n * factorial(n - 1)
print(factorial(20), sum(map(int, str(2**100))), "racecar"[::-1] == "racecar", [*map(len, ["a", "bb"])], max("hello world".split(), key=len))
a, (b, *c), d = 1, (2, 3, 4), 5
print(a, b, c, d, (a := 10) + a, 7 // 2, -7 // 2, 7 % -3, 2**10, 10 / 4, 1_000_000, 0b11, 0o17, 0xFF, 5 < 6 < 7, not 0, "x" * 3, [1, 2] * 2, (1,) + (2,))
for index, char in enumerate("abc", start=1):
    print(index, char, end="; ")
else:
    print("done")
for n in range(2, 10):
    for x in range(2, n):
        if n % x == 0:
            break
    else:
        print(n, "is prime", end=", ")
print()
try:
    greet("x", "y")
except TypeError as error:
    print(error)
try:
    greet()
except TypeError as error:
    print(error)
try:
    stats(**{"a": 1}, **{"a": 2})
except TypeError as error:
    print(error)
print(print("inner"), type(greet), greet.__kwdefaults__, greet.__name__, callable(greet), isinstance(True, int), id(a) == id(a))
