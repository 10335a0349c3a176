# a write-ahead log is read by a connection that may only read, also by the first one
import dbm
import os
import sqlite3

with sqlite3.connect("file:a.db?mode=rwc", uri=True) as connection:
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("CREATE TABLE t(x)")
    connection.execute("INSERT INTO t VALUES (1)")
connection.close()
print(sorted(os.listdir(".")))
reader = sqlite3.connect("file:a.db?mode=ro", uri=True)
print(reader.execute("SELECT * FROM t").fetchall())
writer = sqlite3.connect("a.db")
with writer:
    writer.execute("INSERT INTO t VALUES (2)")
print(reader.execute("SELECT * FROM t").fetchall())
try:
    reader.execute("DELETE FROM t")
except sqlite3.OperationalError as error:
    print(error)
reader.close()
writer.close()
with dbm.open("base", "c") as base:
    base["key"] = "value"
with dbm.open("base") as base:
    print(base["key"], base.keys())
print(sorted(os.listdir(".")))
