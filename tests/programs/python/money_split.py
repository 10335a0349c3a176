# money: splitting a bill, exchange, VAT, formatting
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction


def money(amount, symbol="$", decimals=2):
    sign = "-" if amount < 0 else ""
    return f"{sign}{symbol}{abs(amount):,.{decimals}f}"


def split(total, weights):
    """Largest remainder: the parts add up to the total."""
    cents = int(total * 100)
    shares = [Fraction(cents * weight, sum(weights)) for weight in weights]
    parts = [int(share) for share in shares]
    order = sorted(range(len(shares)), key=lambda i: (parts[i] - shares[i], i))
    for index in order[: cents - sum(parts)]:
        parts[index] += 1
    return [Decimal(part) / 100 for part in parts]


def european(amount):
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,")) + " €"


bill = Decimal("100.00")
for weights in ([1, 1, 1], [50, 30, 20], [1, 2, 3, 4], [7]):
    parts = split(bill, weights)
    print(weights, *map(money, parts), sum(parts) == bill)
net = Decimal("1234567.891")
for rate in ("0.07", "0.19", "0.255"):
    vat = (net * Decimal(rate)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    print(rate, money(vat), european(net + vat), money(-vat, "CHF "))
RATES = {"EUR": Decimal("1"), "USD": Decimal("1.0837"), "JPY": Decimal("162.44")}
for source, target, amount in [("USD", "EUR", "19.99"), ("JPY", "USD", "5000"), ("EUR", "JPY", "0.005")]:
    exact = Decimal(amount) / RATES[source] * RATES[target]
    print(source, target, exact, exact.quantize(Decimal("1") if target == "JPY" else Decimal("0.01"), ROUND_DOWN))
with localcontext() as context:
    context.prec = 50
    print(Decimal(2).sqrt(), (1 + Decimal("0.05") / 12) ** 12)


def loan(principal, yearly, months):
    rate = Decimal(yearly) / 12
    payment = (principal * rate / (1 - (1 + rate) ** -months)).quantize(Decimal("0.01"))
    for month in range(1, months + 1):
        interest = (principal * rate).quantize(Decimal("0.01"))
        paid = min(payment, principal + interest)
        principal -= paid - interest
        yield month, paid, interest, principal


for row in loan(Decimal("1000"), "0.12", 6):
    print("{:>2} {:>8} {:>6} {:>8}".format(*row))
print(0.1 + 0.2, round(2.675, 2), Decimal(0.1), round(Decimal("2.675"), 2), Fraction("0.1") + Fraction(1, 3), f"{1e16:,.2f}", f"{-0.0:.1f}")
