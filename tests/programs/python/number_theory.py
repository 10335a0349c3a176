# number theory: sieve, factors, Miller-Rabin, RSA, CRT, continued fractions
import math
import random
from fractions import Fraction
from functools import reduce


def sieve(limit):
    marks = bytearray([1]) * (limit + 1)
    marks[:2] = b"\0\0"
    for n in range(2, math.isqrt(limit) + 1):
        if marks[n]:
            marks[n * n :: n] = bytes(len(range(n * n, limit + 1, n)))
    return [n for n, mark in enumerate(marks) if mark]


def factors(n):
    found, d = {}, 2
    while d * d <= n:
        while n % d == 0:
            found[d] = found.get(d, 0) + 1
            n //= d
        d += 1 if d == 2 else 2
    if n > 1:
        found[n] = found.get(n, 0) + 1
    return found


def is_prime(n, rng=random.Random(0)):
    if n < 4:
        return n > 1
    if n % 2 == 0:
        return False
    r, d = 0, n - 1
    while d % 2 == 0:
        r, d = r + 1, d // 2
    for _ in range(20):
        x = pow(rng.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(r - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def egcd(a, b):
    if b == 0:
        return a, 1, 0
    g, x, y = egcd(b, a % b)
    return g, y, x - a // b * y


def crt(pairs):
    total = math.prod(m for _, m in pairs)
    return sum(r * pow(total // m, -1, m) * (total // m) for r, m in pairs) % total


def continued(value, terms):
    for _ in range(terms):
        whole = math.floor(value)
        yield whole
        if value == whole:
            return
        value = 1 / (value - whole)


primes = sieve(10_000)
print(len(primes), primes[-5:], sum(primes))
for n in (360, 97, 1001, 2**31 - 1, 600851475143):
    print(n, " * ".join(f"{p}^{e}" if e > 1 else str(p) for p, e in factors(n).items()), is_prime(n))
print([n for n in range(2, 500) if sum(d for d in range(1, n) if n % d == 0) == n])
print(is_prime(2**127 - 1), is_prime(2**127 + 1), egcd(240, 46), math.gcd(0, 5), crt([(2, 3), (3, 5), (2, 7)]))
rng = random.Random(11)
p = next(n for n in iter(lambda: rng.getrandbits(128) | 1, None) if is_prime(n))
q = next(n for n in iter(lambda: rng.getrandbits(128) | 1, None) if is_prime(n))
n, e = p * q, 65537
d = pow(e, -1, (p - 1) * (q - 1))
message = int.from_bytes("hello".encode(), "big")
cipher = pow(message, e, n)
print(hex(n)[:30], cipher.bit_length(), pow(cipher, d, n).to_bytes(5, "big").decode())
print(list(continued(Fraction(415, 93), 10)), list(continued(Fraction(math.pi).limit_denominator(10**6), 8)))
best = [Fraction(math.pi).limit_denominator(limit) for limit in (10, 100, 1000, 100_000)]
print(*best, [f"{float(f - Fraction(math.pi)):.2e}" for f in best])
print(reduce(math.lcm, range(1, 31)), math.factorial(30), len(str(2**4423 - 1)), str(3**500)[:20], -7 // 2, -7 % 2, pow(2, -1, 7))
try:
    pow(2, -1, 4)
except ValueError as error:
    print(error)
try:
    int("9" * 5000)
except ValueError as error:
    print(error)
print(math.comb(100, 50), 10**40 // 7, divmod(10**25, -(10**12) + 1), (2**200).bit_length(), hash(2**61), hash(-1), 1 << 100, ~5, 6 ^ 3)


def digits_of_pi():
    q, r, t, k, m, x = 1, 0, 1, 1, 3, 3
    while True:
        if 4 * q + r - t < m * t:
            yield m
            q, r, m = 10 * q, 10 * (r - m * t), (10 * (3 * q + r)) // t - 10 * m
        else:
            q, r, t, k, m, x = q * k, (2 * q + r) * x, t * x, k + 1, (q * (7 * k + 2) + r * x) // (t * x), x + 2


print("".join(str(d) for d, _ in zip(digits_of_pi(), range(100))))
