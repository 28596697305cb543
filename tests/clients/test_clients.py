"""The clients themselves, against a small server of the test's own: that they send the token, keep NULLs and types,
agree with each other, and tell failures. Run by `cargo xtask test` before the tests that use them."""

import datetime
import decimal
import json
import threading
import unittest

import pyarrow
import pyarrow.flight as flight

import adbc_client
import canonical
import pyarrow_client

TOKEN = "header.claims.signature"
TABLE = pyarrow.table(
    {
        "n": pyarrow.array([12, None], pyarrow.int64()),
        "cost": pyarrow.array([decimal.Decimal("1.50"), None], pyarrow.decimal128(38, 2)),
        "day": pyarrow.array([datetime.date(2024, 5, 1), None], pyarrow.date32()),
        "at": pyarrow.array([datetime.datetime(2024, 5, 1, 12, 30), None], pyarrow.timestamp("us")),
        "sex": pyarrow.array(["F", None], pyarrow.string()),
        "disclosure": pyarrow.array(["", "n: suppressed (threshold)"], pyarrow.string()),
    }
).replace_schema_metadata({"tre.notices": json.dumps(["rare groups are not shown"])})


def fields(message):
    """Number and content of each length-delimited field of a protobuf message."""
    found, at = {}, 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        tag = number()
        if tag & 7 == 2:
            length = number()
            found[tag >> 3] = bytes(message[at : at + length])
            at += length
        else:
            number()
    return found


def unpacked(message):
    """Name and content of a message within google.protobuf.Any."""
    outer = fields(message)
    return outer[1].decode().rsplit(".", 1)[1], fields(outer.get(2, b""))


def packed(name, content):
    """The opposite."""
    type_url = f"type.googleapis.com/arrow.flight.protocol.sql.{name}".encode()
    return pyarrow_client.field(1, type_url) + pyarrow_client.field(2, content)


class Bearer(flight.ServerMiddlewareFactory):
    """Lets in whoever has the token."""

    def start_call(self, info, headers):
        if headers.get("authorization") != [f"Bearer {TOKEN}"]:
            raise flight.FlightUnauthenticatedError("no token")


class Server(flight.FlightServerBase):
    """As much of Flight SQL as the two clients use; it answers every query with the same table but refuses `bad`."""

    def __init__(self):
        super().__init__("grpc://127.0.0.1:0", middleware={"bearer": Bearer()})

    def get_flight_info(self, context, descriptor):
        name, content = unpacked(descriptor.command)
        if name == "CommandGetSqlInfo":
            raise flight.FlightUnavailableError("no information")
        sql = content[1]
        if sql == b"bad":
            raise pyarrow.ArrowInvalid("TRE-SQL-001: refused")
        endpoint = flight.FlightEndpoint(flight.Ticket(sql), [])
        return flight.FlightInfo(TABLE.schema, descriptor, [endpoint], -1, -1)

    def do_get(self, context, ticket):
        return flight.RecordBatchStream(TABLE)

    def do_action(self, context, action):
        if action.type == "CreatePreparedStatement":
            _, content = unpacked(action.body.to_pybytes())
            schema = TABLE.schema.serialize().to_pybytes()
            result = pyarrow_client.field(1, content[1]) + pyarrow_client.field(2, schema)
            yield flight.Result(packed("ActionCreatePreparedStatementResult", result))


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.url = f"grpc://127.0.0.1:{cls.server.port}"
        cls.thread = threading.Thread(target=cls.server.serve)
        cls.thread.start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.thread.join()

    def test_both_give_the_same_canonical_answer(self):
        expected = {
            "columns": ["n", "cost", "day", "at", "sex", "disclosure"],
            "notices": ["rare groups are not shown"],
            "rows": [
                [12, "1.50", "2024-05-01", "2024-05-01T12:30:00", "F", ""],
                [None, None, None, None, None, "n: suppressed (threshold)"],
            ],
            "types": ["int64", "decimal128(38, 2)", "date32[day]", "timestamp[us]", "string", "string"],
        }
        for client in (adbc_client, pyarrow_client):
            with self.subTest(client.__name__):
                self.assertEqual(client.run(self.url, TOKEN, None, ["select 1"]), [expected])

    def test_a_refused_query_is_told_and_the_next_is_answered(self):
        for client in (adbc_client, pyarrow_client):
            with self.subTest(client.__name__):
                refused, answered = client.run(self.url, TOKEN, None, ["bad", "good"])
                self.assertIn("TRE-SQL-001", refused["error"]["message"])
                self.assertEqual(len(answered["rows"]), 2)

    def test_without_the_token_nothing_is_answered(self):
        for client in (adbc_client, pyarrow_client):
            with self.subTest(client.__name__):
                try:
                    results = client.run(self.url, "other", None, ["select 1"])
                except Exception as error:  # ADBC may refuse to connect at all
                    results = [canonical.failure("connect", str(error))]
                self.assertIn("error", results[0])

    def test_long_queries_are_encoded(self):
        for length in (1, 127, 128, 20_000):
            sql = "x" * length
            name, content = unpacked(pyarrow_client.statement_query(sql))
            self.assertEqual((name, content[1].decode()), ("CommandStatementQuery", sql))

    def test_the_line_is_canonical(self):
        self.assertEqual(canonical.dump([{"b": None, "a": "é"}]), '[{"a":"é","b":null}]')
        with self.assertRaises(TypeError):
            canonical.value(b"bytes")


if __name__ == "__main__":
    unittest.main()
