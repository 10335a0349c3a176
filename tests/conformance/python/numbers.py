# decimal, fractions, statistics, big integers, floats
import cmath
import math
import statistics
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 50
print(Decimal(1) / Decimal(7), Decimal("0.1") + Decimal("0.2"))
print(Fraction(1, 3) + Fraction(1, 6), Fraction("0.125"))
print(2**200, (-7) // 2, -7 % 3, pow(3, -1, 7), math.comb(50, 25))
print(0.1 + 0.2, 1e308 * 10, float("nan") != float("nan"), round(2.5), 1e22, 5e-324)
print(statistics.mean([1, 2, 3, 4]), statistics.median([1, 3, 2]), round(statistics.stdev([1, 2, 3, 4]), 6))
print(math.isclose(math.sin(math.pi / 6), 0.5), cmath.sqrt(-1), math.gcd(12, 18), math.prod(range(1, 11)))
print(f"{1234567.891:,.2f} {255:#x} {3:08.3f} {0.25:.1%} {'x':^5}|")
