"""A database in a file."""
import sqlite3

base = sqlite3.connect("/tmp/base.db")
base.execute("create table t (a integer)")
base.executemany("insert into t values (?)", [(n,) for n in range(10)])
base.commit()
print(base.execute("select sum(a) from t").fetchone())
