# a small data frame with filters, groups, joins and printing
from collections import defaultdict
from statistics import mean


class Series(list):
    def __gt__(self, other):
        return Series(value > other for value in self)

    def __eq__(self, other):
        return Series(value == other for value in self)

    def __and__(self, other):
        return Series(a and b for a, b in zip(self, other))

    def __mul__(self, other):
        return Series(a * b for a, b in zip(self, other if isinstance(other, Series) else [other] * len(self)))

    def apply(self, function):
        return Series(map(function, self))


class Frame:
    def __init__(self, columns):
        self.columns = {name: Series(values) for name, values in columns.items()}

    @classmethod
    def from_rows(cls, rows):
        return cls({name: [row.get(name) for row in rows] for name in dict.fromkeys(key for row in rows for key in row)})

    def rows(self):
        return [dict(zip(self.columns, values)) for values in zip(*self.columns.values())]

    def __len__(self):
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, key):
        if isinstance(key, str):
            return self.columns[key]
        if isinstance(key, Series):
            return Frame({name: [v for v, keep in zip(values, key) if keep] for name, values in self.columns.items()})
        return Frame({name: self.columns[name] for name in key})

    def __setitem__(self, name, values):
        self.columns[name] = Series(values if isinstance(values, list) else [values] * len(self))

    def sort(self, by, descending=False):
        return Frame.from_rows(sorted(self.rows(), key=lambda row: row[by], reverse=descending))

    def group(self, by, **how):
        groups = defaultdict(list)
        for row in self.rows():
            groups[row[by]].append(row)
        return Frame.from_rows([{by: key, **{name: function([row[name] for row in rows]) for name, function in how.items()}} for key, rows in groups.items()])

    def join(self, other, on):
        index = defaultdict(list)
        for row in other.rows():
            index[row[on]].append(row)
        return Frame.from_rows([row | match for row in self.rows() for match in index.get(row[on], [{}])])

    def __str__(self):
        show = lambda v: "NaN" if v is None else f"{v:.2f}" if isinstance(v, float) else str(v)
        cells = [list(map(show, self.columns))] + [[show(v) for v in row.values()] for row in self.rows()]
        widths = [max(map(len, column)) for column in zip(*cells)]
        labels = [""] + [str(n) for n in range(len(self))]
        return "\n".join(f"{label:<3}" + "  ".join(f"{c:>{w}}" for c, w in zip(row, widths)) for label, row in zip(labels, cells))


orders = Frame({"id": [1, 2, 3, 4, 5], "customer": ["ann", "bob", "ann", "cid", "bob"], "amount": [10.5, 20.0, 7.25, 99.99, 3.0], "items": [1, 2, 1, 9, 1]})
customers = Frame({"customer": ["ann", "bob"], "city": ["Rome", "Oslo"]})
print(orders, len(orders))
print(orders[(orders["amount"] > 5) & (orders["customer"] == "ann")])
orders["each"] = orders["amount"].apply(lambda v: v / 2)
orders["paid"] = True
print(orders.sort("amount", descending=True)[["id", "amount", "each", "paid"]])
print(orders.group("customer", amount=sum, items=max, each=mean).sort("customer"))
print(orders.join(customers, "customer")[["id", "city", "amount"]])
print(orders["amount"] * orders["items"], orders["id"] * 2)
try:
    orders["nothing"]
except KeyError as error:
    print("KeyError", error)
