"""Runs queries as an analyst with ADBC and pandas would, and prints the answers (see canonical.py).

    python adbc_client.py grpc+tls://127.0.0.1:50051 TOKEN_FILE CA_PEM QUERIES_JSON

QUERIES_JSON holds an array of SQL texts. CA_PEM is the server's root certificate, `-` for plaintext.
"""

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi
import adbc_driver_manager
import pandas

import canonical

AUTHORIZATION = adbc_driver_flightsql.DatabaseOptions.AUTHORIZATION_HEADER.value
ROOT_CERTIFICATES = adbc_driver_flightsql.DatabaseOptions.TLS_ROOT_CERTS.value


def connect(url, token, certificate):
    """A connection with this token."""
    options = {AUTHORIZATION: f"Bearer {token}"}
    if certificate is not None:
        options[ROOT_CERTIFICATES] = certificate
    return adbc_driver_flightsql.dbapi.connect(url, db_kwargs=options, autocommit=True)


def ask(connection, sql):
    """The answer to one query, by way of a pandas frame that keeps Arrow's types (and so its NULLs)."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            table = cursor.fetch_arrow_table()
    except adbc_driver_manager.Error as error:
        return canonical.failure(error.status_code.name, str(error), error.details or ())
    frame = table.to_pandas(types_mapper=pandas.ArrowDtype)
    rows = [[None if cell is pandas.NA else cell for cell in row] for row in frame.itertuples(index=False, name=None)]
    return canonical.answer(table.schema, rows)


def run(url, token, certificate, queries):
    """All answers, in the order of the queries."""
    with connect(url, token, certificate) as connection:
        return [ask(connection, sql) for sql in queries]


if __name__ == "__main__":
    print(canonical.dump(run(*canonical.arguments("adbc_client.py"))))
