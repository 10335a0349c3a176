"""Shows files in and out: reads a table, computes in SQL, leaves a report behind.

    glovebox run examples/report.py --file examples/sales.csv --artifact '*.json=out' -- region
"""

import csv
import json
import sqlite3
import sys

column = sys.argv[1] if len(sys.argv) > 1 else "product"
with open("sales.csv", newline="", encoding="utf-8") as table:
    rows = list(csv.DictReader(table))
if rows and column not in rows[0]:
    sys.exit(f"there is no column {column!r}; the columns are {', '.join(rows[0])}")

database = sqlite3.connect(":memory:")
database.execute("create table sales (name text, amount real)")
database.executemany("insert into sales values (?, ?)", [(row[column], float(row["amount"])) for row in rows])
totals = dict(database.execute("select name, sum(amount) from sales group by name order by 2 desc"))

with open("report.json", "w", encoding="utf-8") as report:
    json.dump(totals, report, indent=2)
for name, total in totals.items():
    print(f"{name:<10} {total:>10.2f}")
