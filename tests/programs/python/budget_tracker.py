# a budget tracker over CSV files with categories, months and warnings
import csv
import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path

BUDGETS = {"food": 300.0, "rent": 900.0, "fun": 80.0, "travel": 150.0}


class BudgetTracker:
    def __init__(self, filename):
        self.path = Path(filename)
        if not self.path.exists():
            with self.path.open("w", newline="") as f:
                csv.writer(f).writerow(["date", "category", "amount", "note"])

    def add(self, day, category, amount, note=""):
        when = datetime.strptime(day, "%Y-%m-%d")
        if category not in BUDGETS:
            raise ValueError(f"Unknown category: {category!r}. Choose from: {', '.join(sorted(BUDGETS))}")
        with self.path.open("a", newline="") as f:
            csv.writer(f).writerow([when.date(), category, f"{amount:.2f}", note])

    def entries(self):
        with self.path.open(newline="") as f:
            for row in csv.DictReader(f):
                row["amount"] = float(row["amount"])
                row["date"] = datetime.fromisoformat(row["date"])
                yield row

    def summary(self):
        totals = defaultdict(lambda: defaultdict(float))
        for entry in self.entries():
            totals[entry["date"].strftime("%Y-%m")][entry["category"]] += entry["amount"]
        return totals

    def report(self, out=sys.stdout):
        for month, categories in sorted(self.summary().items()):
            print(f"\n{datetime.strptime(month, '%Y-%m'):%B %Y}", file=out)
            print("=" * 44, file=out)
            for category, budget in BUDGETS.items():
                spent = categories.get(category, 0)
                share = spent / budget
                bar = "#" * min(20, int(share * 20))
                flag = " OVER!" if share > 1 else " near" if share > 0.9 else ""
                print(f"{category.capitalize():<8}${spent:>8.2f} / ${budget:<7.2f}[{bar:<20}]{flag}", file=out)
            print(f"{'Total':<8}${sum(categories.values()):>8.2f}", file=out)


tracker = BudgetTracker("budget.csv")
ENTRIES = [("2025-01-03", "rent", 900, "January"), ("2025-01-05", "food", 54.2, 'market, "organic"'), ("2025-01-20", "food", 231.75), ("2025-01-28", "fun", 95.5, "concert\nand drinks"), ("2025-02-02", "travel", 139.999, "train"), ("2025-02-03", "rent", 900), ("2025-02-30", "food", 1), ("2025-02-10", "pets", 20), ("02/11/2025", "food", 5)]
for entry in ENTRIES:
    try:
        tracker.add(*entry)
    except ValueError as e:
        print("Error:", e)
tracker.report()
print(tracker.path.read_text())
biggest = max(tracker.entries(), key=lambda e: e["amount"])
print(biggest)
notes = [e["note"] for e in tracker.entries() if e["note"]]
print(notes, f"{sum(e['amount'] for e in tracker.entries()):,.2f}")
