"""Prints the rows of every table of an SQLite database as one JSON object, blobs in hex, in the order of their keys.

    python dump.py DATABASE

The database is opened as a copy that nobody else uses: recovering it must not touch the original.
"""

import json
import sqlite3
import sys


def value(cell):
    return cell.hex() if isinstance(cell, bytes) else cell


connection = sqlite3.connect(sys.argv[1])
names = [name for (name,) in connection.execute("select name from sqlite_schema where type = 'table' order by name")]
tables = {}
for name in names:
    rows = connection.execute(f'select * from "{name}" order by 1, 2')
    columns = [column[0] for column in rows.description]
    tables[name] = [dict(zip(columns, map(value, row))) for row in rows]
print(json.dumps(tables, sort_keys=True))
