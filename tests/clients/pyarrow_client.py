"""Runs queries with pyarrow.flight alone, that is by hand, and prints the answers (see canonical.py).

    python pyarrow_client.py grpc+tls://127.0.0.1:50051 TOKEN_FILE CA_PEM QUERIES_JSON

pyarrow has no Flight SQL client, so the one command needed is encoded here: a CommandStatementQuery within a
google.protobuf.Any, both messages of length-delimited fields.
"""

import pyarrow
import pyarrow.flight as flight

import canonical

TYPE = "type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"


def varint(number):
    """An unsigned number in protobuf's base 128."""
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def field(number, content):
    """A length-delimited field of a protobuf message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def statement_query(sql):
    """CommandStatementQuery { query = 1 } within Any { type_url = 1, value = 2 }."""
    return field(1, TYPE.encode()) + field(2, field(1, sql.encode()))


def ask(client, options, sql):
    """The answer to one query."""
    try:
        info = client.get_flight_info(flight.FlightDescriptor.for_command(statement_query(sql)), options)
        tables = [client.do_get(endpoint.ticket, options).read_all() for endpoint in info.endpoints]
    except (pyarrow.ArrowException, flight.FlightError) as error:
        details = [("extra_info", error.extra_info)] if getattr(error, "extra_info", b"") else []
        return canonical.failure(type(error).__name__, str(error), details)
    rows = [row for table in tables for row in zip(*(column.to_pylist() for column in table.columns))]
    return canonical.answer(tables[0].schema, rows)


def run(url, token, certificate, queries):
    """All answers, in the order of the queries."""
    options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
    secure = {} if certificate is None else {"tls_root_certs": certificate}
    with flight.FlightClient(url, **secure) as client:
        return [ask(client, options, sql) for sql in queries]


if __name__ == "__main__":
    print(canonical.dump(run(*canonical.arguments("pyarrow_client.py"))))
