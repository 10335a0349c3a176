# a shopping cart with discounts, taxes and a printed receipt
from __future__ import annotations

import enum
import re
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal as D
from typing import Iterable

CENT = D("0.01")


class Tax(enum.Enum):
    FOOD = D("0.07")
    STANDARD = D("0.19")
    FREE = D(0)


@dataclass(frozen=True)
class Product:
    sku: str
    name: str
    price: D
    tax: Tax = Tax.STANDARD


@dataclass
class Line:
    product: Product
    quantity: int
    discount: D = D(0)

    @property
    def net(self) -> D:
        return (self.product.price * self.quantity - self.discount).quantize(CENT, ROUND_HALF_UP)


class Offer(ABC):
    @abstractmethod
    def apply(self, lines: list[Line]) -> None: ...


class ThreeForTwo(Offer):
    def __init__(self, sku):
        self.sku = sku

    def apply(self, lines):
        for line in lines:
            if line.product.sku == self.sku:
                line.discount += line.quantity // 3 * line.product.price


class Percent(Offer):
    def __init__(self, percent, least):
        self.percent, self.least = D(percent), D(least)

    def apply(self, lines):
        if sum(line.net for line in lines) >= self.least:
            for line in lines:
                line.discount += (line.net * self.percent / 100).quantize(CENT, ROUND_HALF_UP)


@dataclass
class Cart:
    offers: Iterable[Offer] = ()
    counts: Counter = field(default_factory=Counter)
    catalogue: dict[str, Product] = field(default_factory=dict, repr=False)

    def scan(self, text):
        for sku, times in re.findall(r"([A-Z]\d{3})(?:x(\d+))?", text):
            if sku not in self.catalogue:
                print(f"?? {sku}")
                continue
            self.counts[sku] += int(times or 1)

    def lines(self):
        lines = [Line(self.catalogue[sku], n) for sku, n in self.counts.items()]
        for offer in self.offers:
            offer.apply(lines)
        return lines

    def receipt(self, width=42):
        lines = self.lines()
        yield "=" * width
        yield "THE CORNER SHOP".center(width)
        yield "=" * width
        for line in lines:
            left = f"{line.quantity} x {line.product.name}"
            yield f"{left[:26]:.<28}{line.product.price * line.quantity:>{width - 28}.2f}"
            if line.discount:
                yield f"{'  discount':<28}{-line.discount:>{width - 28}.2f}"
        total = sum((line.net for line in lines), D(0))
        taxes = {tax: sum((line.net for line in lines if line.product.tax is tax), D(0)) for tax in Tax}
        yield "-" * width
        for tax, net in taxes.items():
            if net and tax.value:
                yield f"{tax.name.title()} {tax.value:.0%} of {net}: {(net - net / (1 + tax.value)).quantize(CENT)}"
        yield f"{'TOTAL':<10}{'€ ' + format(total, ',.2f'):>{width - 10}}"


CATALOGUE = [Product("A001", "Apples, 1 kg", D("2.49"), Tax.FOOD), Product("B002", "Bicycle bell with a very long name", D("14.95")), Product("C003", "Chocolate", D("0.99"), Tax.FOOD), Product("D004", "Deposit", D("0.25"), Tax.FREE), Product("E005", "E-book reader", D("1199.00"))]
cart = Cart([ThreeForTwo("C003"), Percent(5, 20)], catalogue={p.sku: p for p in CATALOGUE})
cart.scan("A001 C003x4 B002 Z999 D004x2")
print("\n".join(cart.receipt()))
cart.counts["B002"] -= 1
cart.scan("E005, C003x2")
print("\n".join(cart.receipt(36)))
print(+cart.counts, cart.offers[1].percent)
try:
    CATALOGUE[0].price = D(1)
except AttributeError as error:
    print(type(error).__name__, error)
