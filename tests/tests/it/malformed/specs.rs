//! Specs that say what cannot be meant.

use super::{Case, Input, spec_with};
use tre_tests::scenes::CLINIC;

pub(super) fn cases() -> Vec<Case> {
    let case = |code, name: &str, spec: String| {
        Case::new(
            code,
            format!("spec: {name}"),
            Input::Ingest {
                spec,
                files: Vec::new(),
            },
        )
    };
    let with = |code, name: &str, from: &str, to: &str| case(code, name, spec_with(from, to));
    vec![
        case("TRE-ING-001", "empty", String::new()),
        case("TRE-ING-001", "not TOML", "dataset = ".to_owned()),
        with(
            "TRE-ING-001",
            "an unknown key",
            "dataset    =",
            "colour = 1\ndataset =",
        ),
        with(
            "TRE-ING-001",
            "a misspelt key",
            "files  = [\"visit",
            "file = [\"visit",
        ),
        with("TRE-ING-001", "an unknown type", "\"date\"", "\"day\""),
        with(
            "TRE-ING-001",
            "an unknown canon",
            "canon = \"text\"",
            "canon = \"upper\"",
        ),
        with(
            "TRE-ING-001",
            "an unknown generalisation",
            "\"month\"",
            "\"year\"",
        ),
        with("TRE-ING-001", "no population", "population = \"clinic\"", ""),
        with("TRE-ING-001", "a column twice", "sex  =", "cost ="),
        case(
            "TRE-ING-001",
            "a negative limit",
            format!("{CLINIC}\n[rejects]\nmax_rows = -1\n"),
        ),
        with("TRE-ING-002", "a dataset in capitals", "\"liver\"", "\"Liver\""),
        with(
            "TRE-ING-002",
            "a table that climbs out",
            "\"visit\"\nfiles",
            "\"../visit\"\nfiles",
        ),
        with(
            "TRE-ING-002",
            "two tables of a name",
            "\"icd10\"\nfiles",
            "\"visit\"\nfiles",
        ),
        with("TRE-ING-002", "a column called pid", "age  =", "pid  ="),
        with(
            "TRE-ING-002",
            "a column called disclosure",
            "age  =",
            "disclosure =",
        ),
        with(
            "TRE-ING-003",
            "a private table without unit",
            "unit   = { column = \"patient\", canon = \"text\" }",
            "",
        ),
        with(
            "TRE-ING-003",
            "a public table with unit",
            "public = true",
            "public = true\nunit = { column = \"code\", canon = \"text\" }",
        ),
        with("TRE-ING-003", "no files", "[\"visit.csv\"]", "[]"),
        with(
            "TRE-ING-004",
            "bands of a text",
            "{ prefix = 3 }",
            "{ bands = [1] }",
        ),
        with(
            "TRE-ING-004",
            "a scale of an int",
            "type = \"int\",  gen",
            "type = \"int\", scale = 1, gen",
        ),
        with("TRE-ING-005", "bands out of order", "40, 60, 80", "60, 40, 80"),
        with("TRE-ING-005", "a value twice", "[\"F\", \"M\"]", "[\"F\", \"F\"]"),
        with(
            "TRE-ING-006",
            "bounds the wrong way round",
            "min = 0, max = 1000000",
            "min = 10, max = 1",
        ),
        with("TRE-ING-006", "a float without scale", ", scale = 2", ""),
        with(
            "TRE-ING-007",
            "a column marked as identifier",
            "sex  = { type = \"text\",",
            "sex  = { type = \"text\", identifier = true,",
        ),
        with(
            "TRE-ING-007",
            "the unit's column kept",
            "sex  =",
            "patient = { type = \"text\" }\nsex  =",
        ),
        with(
            "TRE-ING-008",
            "a hierarchy that points nowhere",
            "tag = \"icd10\"",
            "hierarchy = \"icd11.code\"",
        ),
        with(
            "TRE-ING-009",
            "a file that is not there",
            "visit.csv",
            "visits.csv",
        ),
        with("TRE-ING-010", "a column that the file lacks", "sex  =", "size ="),
        Case::new(
            "TRE-ING-001",
            "spec: control characters",
            Input::Ingest {
                spec: "\u{feff}dataset\u{0}".to_owned(),
                files: Vec::new(),
            },
        ),
    ]
}
