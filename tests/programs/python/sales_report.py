# reads sales as CSV, groups them and prints a table
import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

DATA = """\
date,region,product,quantity,unit_price
2025-01-03,North,Widget,10,2.50
2025-01-04,South,Widget,4,2.50
2025-01-04,North,"Gadget, large",1,199.99
2025-01-09,East,Gizmo,7,13.37
2025-02-01,South,Gizmo,3,13.37
2025-02-11,East,Widget,25,2.25
2025-02-14,North,Gizmo,1,12.995
"""


@dataclass(frozen=True, order=True)
class Sale:
    date: str
    region: str
    product: str
    quantity: int
    unit_price: Decimal

    @property
    def total(self) -> Decimal:
        return (self.quantity * self.unit_price).quantize(Decimal("0.01"), ROUND_HALF_UP)


def load(text):
    for row in csv.DictReader(io.StringIO(text)):
        yield Sale(row["date"], row["region"], row["product"], int(row["quantity"]), Decimal(row["unit_price"]))


sales = sorted(load(DATA))
by_region = defaultdict(Decimal)
by_month = defaultdict(lambda: defaultdict(int))
for sale in sales:
    by_region[sale.region] += sale.total
    by_month[sale.date[:7]][sale.product] += sale.quantity

print(f"{'Region':<10}|{'Total':>12}")
print("-" * 10 + "+" + "-" * 12)
for region, total in sorted(by_region.items(), key=lambda item: -item[1]):
    print(f"{region:<10}|{total:>12,.2f}")
print(f"{'All':<10}|{sum(by_region.values()):>12,.2f}")
for month, products in by_month.items():
    print(month, dict(products))
print(sales[0])
print(max(sales, key=lambda sale: sale.total))

out = io.StringIO()
writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL)
writer.writerow(["product", "total"])
writer.writerows((sale.product, sale.total) for sale in sales[:3])
print(repr(out.getvalue()))
