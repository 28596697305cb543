"""Walks through what Flight SQL drivers do beyond plain queries, and prints what came of each step (see canonical.py).

    python protocol.py grpc+tls://127.0.0.1:50051 TOKEN_FILE CA_PEM OTHER_TOKEN_FILE

The two tokens are of one person but of two sessions. Prints an object: name of the step, its result or error.
"""

import json
import sys

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi
import adbc_driver_manager
import pyarrow
import pyarrow.flight as flight

import adbc_client
import canonical
import pyarrow_client

COUNT = "SELECT gender, count(*) AS n FROM person GROUP BY gender ORDER BY gender"
BY_RACE = "SELECT race, count(*) AS n FROM person WHERE race = {} GROUP BY race ORDER BY race"
OPTION = "adbc.flight.sql.session.option.tre.disclosure"
PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."

steps = {}


def step(name):
    """Runs a function and notes its result or its error under the name."""

    def decorate(function):
        try:
            steps[name] = function()
        except adbc_driver_manager.Error as error:
            steps[name] = canonical.failure(error.status_code.name, str(error), error.details or ())
        except (pyarrow.ArrowException, flight.FlightError) as error:
            steps[name] = canonical.failure(type(error).__name__, str(error))

    return decorate


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def asked(connection, sql, parameters=None):
    """The answer to a query by ADBC; its parameters stand for `?`."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        table = cursor.fetch_arrow_table()
    return canonical.answer(table.schema, zip(*(column.to_pylist() for column in table.columns)))


def packed(name, content):
    """A message within google.protobuf.Any."""
    return pyarrow_client.field(1, (PREFIX + name).encode()) + pyarrow_client.field(2, content)


def prepared(connection):
    @step("prepared")
    def _():
        return asked(connection, BY_RACE.format("?"), ("white",))

    @step("prepared again")
    def _():
        return asked(connection, BY_RACE.format("?"), ("black",))

    @step("literal")
    def _():
        return asked(connection, BY_RACE.format("'white'"))

    @step("unbound")
    def _():
        return asked(connection, BY_RACE.format("?"))


def disclosure(connection):
    @step("disclosed")
    def _():
        return asked(connection, COUNT)

    @step("undisclosed")
    def _():
        connection.adbc_connection.set_options(**{OPTION: "off"})
        return asked(connection, COUNT)

    @step("disclosed again")
    def _():
        connection.adbc_connection.set_options(**{OPTION: "on"})
        return asked(connection, COUNT)


def refused(connection):
    @step("ingest")
    def _():
        with connection.cursor() as cursor:
            return cursor.adbc_ingest("mine", pyarrow.table({"x": [1]}), mode="create")

    @step("update")
    def _():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE mine AS SELECT 1 AS x")
            return cursor.fetchall()

    @step("substrait")
    def _():
        with connection.cursor() as cursor:
            cursor.execute(b"\x0a\x00")
            return cursor.fetchall()

    @step("trailer")
    def _():
        try:
            asked(connection, "SELECT pid, gender FROM person")
        except adbc_driver_manager.Error as error:
            for key, value in error.details or ():
                if canonical.text(key) == "tre-error-bin":
                    return json.loads(value)
        return None


def metadata(connection):
    @step("tables")
    def _():
        catalogs = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
        schemas = [schema for catalog in catalogs for schema in catalog["catalog_db_schemas"] or []]
        return sorted(table["table_name"] for schema in schemas for table in schema["db_schema_tables"] or [])


def login(url, certificate, name, password):
    @step(name)
    def _():
        options = {"username": "alice", "password": password, adbc_client.ROOT_CERTIFICATES: certificate}
        with adbc_driver_flightsql.dbapi.connect(url, db_kwargs=options, autocommit=True) as connection:
            return asked(connection, COUNT)


def by_hand(client, mine, other):
    """Steps of pyarrow.flight: `mine` and `other` are call options with the two tokens."""
    descriptor = flight.FlightDescriptor.for_command(pyarrow_client.statement_query(COUNT))
    info = client.get_flight_info(descriptor, mine)
    ticket = info.endpoints[0].ticket

    @step("fetched twice")
    def _():
        chunks = [client.do_get(ticket, mine).read_all() for _ in range(2)]
        written = [serialised(table) for table in chunks]
        return [written[0] == written[1], chunks[0].num_rows > 0]

    @step("schemas agree")
    def _():
        fetched = client.do_get(ticket, mine).read_all().schema
        return info.schema == fetched and client.get_schema(descriptor, mine).schema == fetched

    @step("a ticket of another session")
    def _():
        return client.do_get(ticket, other).read_all().num_rows

    @step("a made-up ticket")
    def _():
        return client.do_get(flight.Ticket(b"\x00" * 32), mine).read_all().num_rows

    @step("begin transaction")
    def _():
        action = flight.Action("BeginTransaction", packed("ActionBeginTransactionRequest", b""))
        return [result.body.to_pybytes().hex() for result in client.do_action(action, mine)]

    @step("direct update")
    def _():
        update = packed("CommandStatementUpdate", pyarrow_client.field(1, b"DELETE FROM person"))
        descriptor = flight.FlightDescriptor.for_command(update)
        writer, reader = client.do_put(descriptor, pyarrow.schema([]), mine)
        writer.done_writing()
        result = reader.read()
        writer.close()
        return None if result is None else result.to_pybytes().hex()


def serialised(table):
    """A table in Arrow's IPC format, schema and its metadata included."""
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def options(token):
    return flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])


def main(url, token_file, certificate_file, other_file):
    token, certificate, other = read(token_file), read(certificate_file), read(other_file)
    with adbc_client.connect(url, token, certificate) as connection:
        prepared(connection)
        disclosure(connection)
        refused(connection)
        metadata(connection)
    login(url, certificate, "login", token)
    login(url, certificate, "wrong password", "not.a.token")
    with flight.FlightClient(url, tls_root_certs=certificate) as client:
        by_hand(client, options(token), options(other))
    print(canonical.dump(steps))


if __name__ == "__main__":
    main(*sys.argv[1:])
