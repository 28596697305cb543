"""One way to write results down, so that those of different clients can be compared as text.

The clients print one line of JSON: an array with an object per query, keys sorted, no spaces. An answer is
    {"columns": [name, …], "notices": [text, …], "rows": [[value, …], …], "types": [arrow type, …]}
with rows in the order in which they came and `disclosure` a column like the others; a failure is
    {"error": {"details": {key: text}, "message": text, "status": text}}
Values: NULL is null; integers, booleans and texts are themselves; decimals, dates and timestamps are texts (a decimal
with all its places, a date as 2024-05-01, a timestamp as 2024-05-01T12:30:00).
"""

import base64
import datetime
import decimal
import json
import sys


def value(cell):
    """A value as JSON has it."""
    if cell is None or isinstance(cell, (bool, int, str)):
        return cell
    if isinstance(cell, decimal.Decimal):
        return format(cell, "f")
    if isinstance(cell, (datetime.datetime, datetime.date)):
        return cell.isoformat()
    if isinstance(cell, float):
        return repr(cell)
    raise TypeError(f"no canonical form for {type(cell).__name__}")


def answer(schema, rows):
    """An answer from its Arrow schema and its rows of Python values."""
    metadata = schema.metadata or {}
    return {
        "columns": list(schema.names),
        "notices": json.loads(metadata.get(b"tre.notices", b"[]")),
        "rows": [[value(cell) for cell in row] for row in rows],
        "types": [str(field.type) for field in schema],
    }


def failure(status, message, details=()):
    """A failure; details are pairs of a key and a value, each text or bytes."""
    return {"error": {"details": {text(key): text(item) for key, item in details}, "message": message, "status": status}}


def text(item):
    """Bytes as text, where they are UTF-8, else as base64."""
    if isinstance(item, str):
        return item
    try:
        return item.decode()
    except UnicodeDecodeError:
        return base64.b64encode(item).decode()


def dump(results):
    """The line that a client prints."""
    return json.dumps(results, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def arguments(name):
    """URL, token, root certificate (None for plaintext) and queries from the command line."""
    if len(sys.argv) != 5:
        print(f"usage: {name} URL TOKEN_FILE CA_PEM|- QUERIES_JSON", file=sys.stderr)
        sys.exit(2)
    url, token_file, ca_file, queries_file = sys.argv[1:]
    with open(token_file, encoding="ascii") as file:
        token = file.read().strip()
    certificate = None
    if ca_file != "-":
        with open(ca_file, encoding="ascii") as file:
            certificate = file.read()
    with open(queries_file, encoding="utf-8") as file:
        queries = json.load(file)
    return url, token, certificate, queries
