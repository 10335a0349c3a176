# sqlite3: connections beside each other, a log of writes, full-text search, zones, trees
import os
import sqlite3

one, two = sqlite3.connect("data.db", timeout=0), sqlite3.connect("data.db", timeout=0)
one.execute("create table t (x)")
one.commit()
one.execute("insert into t values (1)")
print(two.execute("select count(*) from t").fetchone())
try:
    two.execute("insert into t values (2)")
except sqlite3.OperationalError as error:
    print(error)
one.commit()
print(two.execute("select count(*) from t").fetchone())
two.execute("insert into t values (3)")
two.commit()
print(one.execute("pragma journal_mode = wal").fetchone())
one.execute("insert into t values (4)")
print(two.execute("select sum(x) from t").fetchone())
one.commit()
print(two.execute("select sum(x) from t").fetchone())
copy = sqlite3.connect(":memory:")
two.backup(copy)
print(copy.execute("select sum(x) from t").fetchone(), copy.execute("pragma integrity_check").fetchone())
for base in (one, two):
    base.close()
print(sorted(os.listdir()))

base = sqlite3.connect(":memory:")
base.execute("create virtual table notes using fts5(title, body)")
base.executemany("insert into notes values (?, ?)", [("cats", "the cat sat"), ("dogs", "a dog ran to the cat"), ("birds", "tweet")])
print(base.execute("select title, snippet(notes, 1, '[', ']', '..', 3) from notes where notes match 'cat' order by rank").fetchall())
print(base.execute("select datetime('2026-01-01 12:00:00', 'localtime'), strftime('%H', '2026-01-01 12:00:00', 'utc')").fetchone())
print(base.execute("select value ->> 'a' from json_each('[{\"a\": 1}, {\"a\": \"x\"}]')").fetchall())
base.execute("create virtual table places using rtree(id, low, high)")
base.execute("insert into places values (1, 0, 5)")
print(base.execute("select id from places where low < 1").fetchall())
