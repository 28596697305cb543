//! Permits that cannot be put in force.

use tre_tests::scenes::Permit;

use super::{Case, Input};

pub(super) fn cases() -> Vec<Case> {
    let good = Permit {
        project: "another",
        ..Permit::default()
    }
    .text();
    let case =
        |code, name: &str, text: String| Case::new(code, format!("permit: {name}"), Input::Permit(text));
    let with = |code, name: &str, from: &str, to: &str| {
        assert!(good.contains(from), "`{from}` is not in the permit");
        case(code, name, good.replacen(from, to, 1))
    };
    let rows = |code, name: &str, condition: &str| {
        let tables: &[(&str, &[&str], &str)] = &[("visit", &["pid", "age"], condition)];
        case(
            code,
            name,
            Permit {
                project: "another",
                tables,
                ..Permit::default()
            }
            .text(),
        )
    };
    vec![
        case("TRE-PRJ-001", "empty", String::new()),
        case("TRE-PRJ-001", "not TOML", "project =".to_owned()),
        with(
            "TRE-PRJ-001",
            "an unknown key",
            "legal_basis",
            "colour = 1\nlegal_basis",
        ),
        with(
            "TRE-PRJ-001",
            "no title",
            "title = \"A project of the tests\"",
            "",
        ),
        with("TRE-PRJ-001", "a date in quotes", "2020-01-01", "\"2020-01-01\""),
        with(
            "TRE-PRJ-002",
            "a project in capitals",
            "\"another\"",
            "\"Another\"",
        ),
        with(
            "TRE-PRJ-002",
            "a project that climbs out",
            "\"another\"",
            "\"../another\"",
        ),
        with("TRE-PRJ-002", "an empty title", "A project of the tests", " "),
        with(
            "TRE-PRJ-002",
            "a purpose that the law does not know",
            "EHDS-53-1-e",
            "EHDS-53-1-z",
        ),
        with(
            "TRE-PRJ-003",
            "an end before the beginning",
            "2099-12-31",
            "2019-12-31",
        ),
        with(
            "TRE-PRJ-003",
            "a time of day",
            "2020-01-01",
            "2020-01-01T12:00:00Z",
        ),
        with(
            "TRE-PRJ-004",
            "a person twice",
            "user = \"bo\"",
            "user = \"alice\"",
        ),
        with("TRE-PRJ-004", "an operator", "[\"analyst\"]", "[\"operator\"]"),
        with("TRE-PRJ-004", "no analyst", "[\"analyst\"]", "[\"checker\"]"),
        with(
            "TRE-PRJ-005",
            "a column twice",
            "\"age\", \"sex\"",
            "\"age\", \"age\"",
        ),
        with("TRE-PRJ-005", "no columns", "[\"code\", \"name\"]", "[]"),
        case(
            "TRE-PRJ-005",
            "a dataset twice",
            format!("{good}\n[[dataset]]\nid = \"liver\"\n[dataset.tables.visit]\ncolumns = [\"age\"]\n"),
        ),
        with(
            "TRE-PRJ-006",
            "reviewers of an answer in a session",
            "reviewers = 0",
            "reviewers = 1",
        ),
        with(
            "TRE-PRJ-006",
            "more reviewers than checkers",
            "reviewers = 2",
            "reviewers = 3",
        ),
        with("TRE-PRJ-007", "a size that is none", "512 MiB", "plenty"),
        with(
            "TRE-PRJ-007",
            "no time",
            "query_seconds = 120",
            "query_seconds = 0",
        ),
        with("TRE-PRJ-007", "no sessions", "sessions = 4", "sessions = 0"),
        with(
            "TRE-PRJ-008",
            "an unknown dataset",
            "id = \"liver\"",
            "id = \"kidney\"",
        ),
        with("TRE-PRJ-008", "an unknown table", "tables.icd10", "tables.icd11"),
        with("TRE-PRJ-008", "an unknown column", "\"cost\"", "\"price\""),
        rows("TRE-PRJ-009", "a condition that is no SQL", "age >="),
        rows("TRE-PRJ-009", "a condition on an unknown column", "size > 1"),
        rows("TRE-PRJ-009", "a condition on persons", "pid = 1"),
        rows("TRE-PRJ-009", "a condition that aggregates", "count(*) > 1"),
        rows(
            "TRE-PRJ-009",
            "a condition that is more than one",
            "1 = 1) OR (2 = 2",
        ),
        rows(
            "TRE-PRJ-009",
            "a condition with a query in it",
            "EXISTS (SELECT 1 FROM visit)",
        ),
        with(
            "TRE-PRJ-010",
            "an unknown policy",
            "policy = \"ndb\"",
            "policy = \"strictest\"",
        ),
        with(
            "TRE-PRJ-010",
            "fewer reviewers than the policy demands",
            "reviewers = 2",
            "reviewers = 1",
        ),
        Case::new(
            "TRE-CLI-002",
            "permit: no such file",
            Input::Words(vec!["project", "apply", "nowhere.toml"]),
        )
        .entries(&[]),
    ]
}
