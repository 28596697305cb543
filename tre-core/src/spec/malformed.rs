//! Specs that are refused, each with its code and place.

#![expect(clippy::panic, reason = "tests fail by panicking")]
use super::Spec;
use super::tests::LIVER;

/// A minimal spec with one column line.
pub(super) fn with_column(line: &str) -> String {
    format!(
        "dataset = \"d\"\ntitle = \"t\"\npopulation = \"p\"\n[[table]]\nname = \"a\"\nfiles = [\"a.csv\"]\nunit = {{ column = \"who\", canon = \"text\" }}\nentity = {{ facility = \"place\" }}\n[table.columns]\n{line}\n"
    )
}

/// The example with one piece of text replaced.
fn with(from: &str, to: &str) -> String {
    let changed = LIVER.replacen(from, to, 1);
    assert_ne!(changed, LIVER, "`{from}` is not in the example");
    changed
}

/// (code, part of the message, spec)
fn malformed() -> Vec<(&'static str, &'static str, String)> {
    let column = |line: &str| with_column(line);
    vec![
        ("TRE-ING-001", "line 1", "dataset = ".to_owned()),
        ("TRE-ING-001", "line 1", String::new()),
        (
            "TRE-ING-001",
            "line 2: unknown field `colour`",
            with("dataset    =", "colour = 1\ndataset ="),
        ),
        (
            "TRE-ING-001",
            "table `visit`: unknown field `file`",
            with("files  = [\"visit", "file = [\"visit"),
        ),
        (
            "TRE-ING-001",
            "line 10, table `a`, column `x`: unknown field `band`",
            column("x = { type = \"int\", band = 1 }"),
        ),
        (
            "TRE-ING-001",
            "column `x`: unknown variant `integer`",
            column("x = { type = \"integer\" }"),
        ),
        ("TRE-ING-001", "missing field `type`", column("x = { scale = 1 }")),
        (
            "TRE-ING-001",
            "unknown variant `upper`",
            with("\"text\" }\nentity", "\"upper\" }\nentity"),
        ),
        (
            "TRE-ING-001",
            "missing field `canon`",
            with(", canon = \"text\"", ""),
        ),
        (
            "TRE-ING-001",
            "`title` is empty",
            with("\"Liver clinic cohort\"", "\"  \""),
        ),
        (
            "TRE-ING-001",
            "`title` must be one line",
            with("\"Liver clinic cohort\"", "\"a\\nb\""),
        ),
        (
            "TRE-ING-001",
            "missing field `population`",
            with("population = \"clinic\"", ""),
        ),
        ("TRE-ING-001", "duplicate key", with("sex  =", "cost =")),
        (
            "TRE-ING-001",
            "`generalise` is `\"month\"`",
            column("x = { type = \"date\", generalise = \"year\" }"),
        ),
        (
            "TRE-ING-001",
            "`generalise` is",
            column("x = { type = \"int\", generalise = { bands = 5 } }"),
        ),
        (
            "TRE-ING-001",
            "`generalise` is",
            column("x = { type = \"int\", generalise = { top = 5, bands = [1] } }"),
        ),
        (
            "TRE-ING-001",
            "`generalise` is",
            column("x = { type = \"text\", generalise = { prefix = \"3\" } }"),
        ),
        (
            "TRE-ING-001",
            "`tag` is empty",
            column("x = { type = \"text\", tag = \"\" }"),
        ),
        (
            "TRE-ING-001",
            "`max_rows` = -1",
            format!("{LIVER}\n[rejects]\nmax_rows = -1"),
        ),
        (
            "TRE-ING-001",
            "`max_rows` = 2000000",
            format!("{LIVER}\n[rejects]\nmax_rows = 2000000"),
        ),
        (
            "TRE-ING-001",
            "unknown field `rows`",
            format!("{LIVER}\n[rejects]\nrows = 1"),
        ),
        (
            "TRE-ING-002",
            "line 2: `Liver`",
            with("dataset    = \"liver\"", "dataset = \"Liver\""),
        ),
        (
            "TRE-ING-002",
            "line 4: `the clinic`",
            with("\"clinic\"", "\"the clinic\""),
        ),
        ("TRE-ING-002", "`visit/../x`", with("\"visit\"", "\"visit/../x\"")),
        (
            "TRE-ING-002",
            "another table of this name",
            with("\"icd10\"\nfiles", "\"visit\"\nfiles"),
        ),
        ("TRE-ING-002", "column `Age`", with("age  =", "Age =")),
        ("TRE-ING-002", "`pid` is a reserved name", with("age  =", "pid =")),
        (
            "TRE-ING-002",
            "`disclosure` is a reserved name",
            with("age  =", "disclosure ="),
        ),
        (
            "TRE-ING-002",
            "an entity's column has the same name",
            column("place = { type = \"text\", source = \"other\" }"),
        ),
        (
            "TRE-ING-002",
            "listed twice",
            column("x = { type = \"text\" }\ny = { type = \"text\", source = \"x\" }"),
        ),
        (
            "TRE-ING-002",
            "`source` is empty",
            column("x = { type = \"text\", source = \"\" }"),
        ),
        ("TRE-ING-002", "`Facility`", with("facility =", "Facility =")),
        (
            "TRE-ING-003",
            "it needs 1 to",
            "dataset = \"d\"\ntitle = \"t\"\npopulation = \"p\"".to_owned(),
        ),
        ("TRE-ING-003", "at least one file", with("[\"visit.csv\"]", "[]")),
        (
            "TRE-ING-003",
            "at least one file",
            with("[\"visit.csv\"]", "[\"\"]"),
        ),
        (
            "TRE-ING-003",
            "table `visit`: `unit` is missing",
            with("unit   = { column = \"patient\", canon = \"text\" }", ""),
        ),
        (
            "TRE-ING-003",
            "about nobody; remove `unit`",
            with(
                "public = true",
                "public = true\nunit = { column = \"a\", canon = \"text\" }",
            ),
        ),
        (
            "TRE-ING-003",
            "about nobody; remove `entity`",
            with("public = true", "public = true\nentity = { facility = \"a\" }"),
        ),
        (
            "TRE-ING-003",
            "the unit's column; it cannot be an entity too",
            with("\"clinic_id\"", "\"patient\""),
        ),
        (
            "TRE-ING-003",
            "named by two entities",
            with(
                "facility = \"clinic_id\"",
                "facility = \"clinic_id\", insurer = \"clinic_id\"",
            ),
        ),
        (
            "TRE-ING-003",
            "must list 1 to",
            with("code = { type = \"text\" }\nname = { type = \"text\" }", ""),
        ),
        (
            "TRE-ING-003",
            "must name the column that identifies",
            with("\"patient\"", "\"\""),
        ),
        (
            "TRE-ING-004",
            "`bands` is for int, float and decimal columns; this one is text",
            column("x = { type = \"text\", generalise = { bands = [1] } }"),
        ),
        (
            "TRE-ING-004",
            "`month` is for date and timestamp",
            column("x = { type = \"int\", generalise = \"month\" }"),
        ),
        (
            "TRE-ING-004",
            "`top` is for",
            column("x = { type = \"date\", generalise = { top = 1 } }"),
        ),
        (
            "TRE-ING-004",
            "`prefix` is for text",
            column("x = { type = \"int\", generalise = { prefix = 1 } }"),
        ),
        (
            "TRE-ING-004",
            "`scale` is for float and decimal",
            column("x = { type = \"int\", scale = 1 }"),
        ),
        (
            "TRE-ING-004",
            "`min` and `max` are for",
            column("x = { type = \"text\", min = 0, max = 1 }"),
        ),
        (
            "TRE-ING-004",
            "`values` is for text, int and bool",
            column("x = { type = \"date\", values = [2020-01-01] }"),
        ),
        (
            "TRE-ING-005",
            "1 to 100000 lower bounds",
            column("x = { type = \"int\", generalise = { bands = [] } }"),
        ),
        (
            "TRE-ING-005",
            "ascending order",
            column("x = { type = \"int\", generalise = { bands = [0, 40, 40] } }"),
        ),
        (
            "TRE-ING-005",
            "`0.5` is not a whole number",
            column("x = { type = \"int\", generalise = { bands = [0.5] } }"),
        ),
        (
            "TRE-ING-005",
            "`a` is not a number",
            column("x = { type = \"int\", generalise = { top = \"a\" } }"),
        ),
        (
            "TRE-ING-005",
            "`prefix` = 0",
            column("x = { type = \"text\", generalise = { prefix = 0 } }"),
        ),
        (
            "TRE-ING-005",
            "1 to 100000 values",
            column("x = { type = \"text\", values = [] }"),
        ),
        (
            "TRE-ING-005",
            "`F` is listed twice",
            column("x = { type = \"text\", values = [\"F\", \"F\"] }"),
        ),
        (
            "TRE-ING-005",
            "`1` in `values` is not text",
            column("x = { type = \"text\", values = [1] }"),
        ),
        (
            "TRE-ING-005",
            "`true` in `values` is not int",
            column("x = { type = \"int\", values = [true] }"),
        ),
        (
            "TRE-ING-005",
            "keep one of them",
            column("x = { type = \"text\", values = [\"F\"], generalise = { prefix = 1 } }"),
        ),
        (
            "TRE-ING-005",
            "cannot be a measure",
            column("x = { type = \"int\", values = [1], min = 0, max = 1 }"),
        ),
        (
            "TRE-ING-006",
            "needs `scale`",
            column("x = { type = \"float\", min = 0, max = 1 }"),
        ),
        (
            "TRE-ING-006",
            "needs `scale`",
            column("x = { type = \"decimal\" }"),
        ),
        (
            "TRE-ING-006",
            "`scale` = 19",
            column("x = { type = \"float\", scale = 19 }"),
        ),
        (
            "TRE-ING-006",
            "`scale` = -1",
            column("x = { type = \"float\", scale = -1 }"),
        ),
        (
            "TRE-ING-006",
            "`min` without `max`",
            column("x = { type = \"int\", min = 0 }"),
        ),
        (
            "TRE-ING-006",
            "`max` without `min`",
            column("x = { type = \"int\", max = 0 }"),
        ),
        (
            "TRE-ING-006",
            "`min` is above `max`",
            column("x = { type = \"int\", min = 2, max = 1 }"),
        ),
        (
            "TRE-ING-006",
            "`0.125` has more than the 2 decimal places",
            column("x = { type = \"float\", scale = 2, min = 0, max = 0.125 }"),
        ),
        (
            "TRE-ING-006",
            "`nan` is not a number",
            column("x = { type = \"float\", scale = 2, min = nan, max = 1 }"),
        ),
        (
            "TRE-ING-006",
            "is too large",
            column("x = { type = \"float\", scale = 2, min = 0, max = 1e300 }"),
        ),
        (
            "TRE-ING-007",
            "marked as a direct identifier",
            column("x = { type = \"text\", identifier = true }"),
        ),
        (
            "TRE-ING-007",
            "`who` is the unit's column",
            column("who = { type = \"text\" }"),
        ),
        (
            "TRE-ING-007",
            "`who` is the unit's column",
            column("x = { type = \"text\", source = \"who\" }"),
        ),
        (
            "TRE-ING-007",
            "`place` is an entity's column",
            column("place = { type = \"text\" }"),
        ),
        (
            "TRE-ING-007",
            "look like e-mail addresses",
            column(
                "x = { type = \"text\", values = [\"a@x.jp\", \"b@x.jp\", \"c@x.jp\", \"d@x.jp\", \"e@x.jp\"] }",
            ),
        ),
        (
            "TRE-ING-008",
            "`concept` is not `table.column`",
            column("x = { type = \"text\", hierarchy = \"concept\" }"),
        ),
        (
            "TRE-ING-008",
            "not in this spec",
            column("x = { type = \"text\", hierarchy = \"b.c\" }"),
        ),
        (
            "TRE-ING-008",
            "which is not public",
            column("x = { type = \"text\", hierarchy = \"a.x\" }"),
        ),
        (
            "TRE-ING-008",
            "has no column `kode`",
            with("icd10.code", "icd10.kode"),
        ),
        (
            "TRE-ING-008",
            "`icd10.code` is int, this column is text",
            with("code = { type = \"text\" }", "code = { type = \"int\" }"),
        ),
    ]
}

#[test]
fn malformed_specs_are_refused_with_code_place_and_reason() {
    for (code, message, spec) in malformed() {
        match Spec::parse(&spec) {
            Ok(_) => panic!("accepted, not {code} {message}:\n{spec}"),
            Err(problem) => {
                assert_eq!(problem.code.id, code, "{problem}\n{spec}");
                assert!(
                    problem.what.contains(message),
                    "`{}` lacks `{message}`",
                    problem.what
                );
                assert!(problem.what.starts_with("line "), "{}", problem.what);
                assert!(!problem.what.contains('\n') && !problem.hint.is_empty());
            }
        }
    }
}
