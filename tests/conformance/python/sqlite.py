# sqlite3 in memory and in a file
import sqlite3

for place in (":memory:", "data.db"):
    with sqlite3.connect(place) as base:
        base.execute("create table people (name text, age integer)")
        base.executemany("insert into people values (?, ?)", [("Ada", 36), ("Alan", 41), ("Grace", 85)])
        print(base.execute("select name, age from people where age > ? order by age desc", (40,)).fetchall())
        print(base.execute("select count(*), avg(age) from people").fetchone())
base = sqlite3.connect("data.db")
print(base.execute("select name from people order by name").fetchall())
print(base.execute("select json_extract('{\"a\": [1, 2]}', '$.a[1]')").fetchone())
