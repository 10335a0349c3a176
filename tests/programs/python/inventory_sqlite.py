# an inventory in SQLite: schema, transactions, joins, windows
import sqlite3
from contextlib import closing

SCHEMA = """
CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, price REAL CHECK (price > 0));
CREATE TABLE stock (product_id INTEGER REFERENCES product(id), place TEXT, amount INTEGER DEFAULT 0,
                    PRIMARY KEY (product_id, place));
CREATE INDEX stock_place ON stock(place);
CREATE VIEW worth AS SELECT name, sum(amount) AS pieces, round(sum(amount * price), 2) AS value
    FROM product JOIN stock ON stock.product_id = product.id GROUP BY name;
"""

with closing(sqlite3.connect("inventory.db")) as db:
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    db.executescript(SCHEMA)
    with db:
        db.executemany("INSERT INTO product(name, price) VALUES (?, ?)", [("bolt", 0.15), ("nut", 0.1), ("hammer", 18.9)])
        db.executemany(
            "INSERT INTO stock VALUES ((SELECT id FROM product WHERE name = :name), :place, :amount)",
            [
                {"name": "bolt", "place": "east", "amount": 1200},
                {"name": "bolt", "place": "west", "amount": 300},
                {"name": "nut", "place": "east", "amount": 2000},
                {"name": "hammer", "place": "west", "amount": 12},
            ],
        )
    for bad in (
        "INSERT INTO product(name, price) VALUES ('bolt', 1)",
        "INSERT INTO product(name, price) VALUES ('screw', -1)",
        "INSERT INTO stock VALUES (99, 'east', 1)",
        "SELECT * FROM nowhere",
        "SELEC 1",
    ):
        try:
            with db:
                db.execute(bad)
        except sqlite3.Error as error:
            print(type(error).__name__, "-", error)
    for row in db.execute("SELECT * FROM worth ORDER BY value DESC"):
        print(dict(row), row["name"], tuple(row))
    rows = db.execute(
        "SELECT place, name, amount, rank() OVER (PARTITION BY place ORDER BY amount DESC) AS rank,"
        " sum(amount) OVER (PARTITION BY place) AS total FROM stock JOIN product ON id = product_id ORDER BY place, rank"
    )
    print([column[0] for column in rows.description])
    for row in rows.fetchall():
        print(*row, sep=" | ")
    db.create_function("shout", 1, lambda text: text.upper() + "!")
    print(db.execute("SELECT group_concat(shout(name), ', ' ORDER BY name) FROM product").fetchone()[0])
    changed = db.execute("UPDATE stock SET amount = amount - 100 WHERE place = 'east'").rowcount
    db.rollback()
    print(changed, db.execute("SELECT sum(amount) FROM stock").fetchone()[0], db.total_changes)
    print(db.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x * 2 FROM n WHERE x < 100) SELECT json_group_array(x) FROM n").fetchone()[0])
    print(db.execute("SELECT date('2024-02-29', '+1 year'), strftime('%W', '2024-12-31'), typeof(1.0), printf('%05.1f', 3.14159)").fetchone()[:])

with closing(sqlite3.connect("inventory.db")) as db:
    print("\n".join(line for line in db.iterdump() if line.startswith("INSERT")))
