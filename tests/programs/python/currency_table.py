# exchange rates through chains, arbitrage, rounding rules and a table
import math
from collections import deque
from decimal import ROUND_05UP, ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, localcontext, setcontext

RATES = {("USD", "EUR"): "0.9234", ("EUR", "GBP"): "0.8571", ("GBP", "JPY"): "190.12", ("USD", "CAD"): "1.3561", ("CAD", "MXN"): "12.58"}
graph = {}
for (a, b), rate in RATES.items():
    graph.setdefault(a, {})[b] = Decimal(rate)
    graph.setdefault(b, {})[a] = 1 / Decimal(rate)


def convert(amount, source, target):
    queue, seen = deque([(source, Decimal(amount), [source])]), {source}
    while queue:
        currency, value, path = queue.popleft()
        if currency == target:
            return value, path
        for other, rate in graph[currency].items():
            if other not in seen:
                seen.add(other)
                queue.append((other, value * rate, path + [other]))
    raise LookupError(f"no way from {source} to {target}")


names = sorted(graph)
print("      " + "".join(f"{name:>12}" for name in names))
for a in names:
    print(f"{a:<6}" + "".join(f"{convert(1, a, b)[0]:>12.5f}" for b in names))
for amount, a, b in (("100", "USD", "JPY"), ("0.01", "MXN", "GBP"), ("-5", "JPY", "CAD")):
    value, path = convert(amount, a, b)
    print(f"{amount} {a} = {value} {b} via {'>'.join(path)}")
for text in ("2.5", "-2.5", "3.5", "2.675", "0.05", "-1.01", "1E+3", "12345.6789"):
    number = Decimal(text)
    print(f"{text:>10}", *(f"{number.quantize(Decimal('1'), mode)!s:>6}" for mode in (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_UP, ROUND_DOWN, ROUND_CEILING, ROUND_FLOOR, ROUND_05UP)))
with localcontext() as context:
    context.prec = 28
    context.traps[Inexact] = True
    try:
        Decimal(1) / 3
    except Inexact as error:
        print("inexact", error)
for act in (lambda: Decimal(1) / 0, lambda: Decimal("abc"), lambda: Decimal("NaN") < 1, lambda: Decimal("1e99999") * Decimal("1e999999"), lambda: Decimal("1.5") + 1.5, lambda: Decimal("12345").quantize(Decimal("1e-30"))):
    try:
        print(act())
    except (InvalidOperation, DivisionByZero, TypeError, ArithmeticError) as error:
        print(type(error).__name__, error)
setcontext(Context(prec=6))
print(Decimal(2).sqrt(), Decimal(1).exp(), Decimal(10).ln(), Decimal("1.1") ** 20, Decimal("7") // 2, Decimal("-7") % 3, divmod(Decimal(7), 2), Decimal("1.20").normalize(), Decimal("0.000001234"), Decimal("1e-7"), Decimal("123.456").as_tuple(), Decimal("-0"), abs(Decimal("-1.5")), Decimal("1.0") == 1, hash(Decimal("1.0")) == hash(1))
print(f"{Decimal('1234567.891'):,.2f} {Decimal('0.5'):.0%} {Decimal('1e6'):e} {Decimal('3.14159'):08.2f} {Decimal(42):>+8}", Decimal("3.7").to_integral_value(), Decimal(0.1), round(Decimal("2.5")), math.floor(Decimal("-2.1")), int(Decimal("9.99")), float(Decimal("0.1")), max(Decimal("1.5"), 1), sum([Decimal("0.1")] * 3))
