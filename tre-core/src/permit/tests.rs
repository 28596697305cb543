#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
use jiff::civil::date;

use super::*;

const GOOD: &str = r#"
project = "liver-outcomes"
title   = "Outcomes by age band"
purpose = { text = "How it goes on.", code = "EHDS-53-1-e" }
legal_basis = "Article 68"
valid   = { from = 2026-01-01, until = 2027-03-31 }
people  = [ { user = "alice", roles = ["analyst"] }, { user = "bo", roles = ["checker"] }, { user = "cy", roles = ["analyst", "checker"] } ]
[[dataset]]
id = "liver"
[dataset.tables.visit]
columns = ["pid", "age", "sex"]
rows    = "age >= 40"
[exit.view]
policy = "ndb"
reviewers = 0
[exit.release]
policy = "ndb"
reviewers = 2
[limits]
memory = "2 GiB"
query_seconds = 300
sessions = 4
"#;

#[test]
fn the_permit_of_the_readme_is_read_whole() {
    let permit = Permit::parse(GOOD).unwrap();
    assert_eq!(permit.project.as_str(), "liver-outcomes");
    assert_eq!(
        permit.valid,
        Validity {
            from: date(2026, 1, 1),
            until: date(2027, 3, 31)
        }
    );
    assert!(
        permit.has(&"cy".parse().unwrap(), Role::Checker)
            && permit.has(&"cy".parse().unwrap(), Role::Analyst)
    );
    assert!(!permit.has(&"alice".parse().unwrap(), Role::Checker));
    assert_eq!(permit.people_with(Role::Checker).count(), 2);
    assert_eq!(permit.datasets.first().unwrap().tables.len(), 1);
    assert_eq!(
        permit.limits,
        NamedLimits {
            memory: Some(2 << 30),
            query_seconds: Some(300),
            sessions: Some(4)
        }
    );
    assert_eq!(permit.exits.get(&ExitName::Release).unwrap().reviewers, 2);
    let short = GOOD.split("[limits]").next().unwrap();
    assert_eq!(Permit::parse(short).unwrap().limits, NamedLimits::default());
}

#[test]
fn a_limit_that_a_permit_leaves_out_is_the_deployments() {
    let deployment = Limits {
        memory: 3 << 30,
        query_seconds: 60,
        sessions: 2,
    };
    let holds = |text: &str| Permit::parse(text).unwrap().limits.or(deployment);
    let partly = GOOD.replace("query_seconds = 300\nsessions = 4\n", "");
    assert_eq!(
        holds(&partly),
        Limits {
            memory: 2 << 30,
            ..deployment
        }
    );
    assert_eq!(holds(GOOD.split("[limits]").next().unwrap()), deployment);
}

#[test]
fn whatever_is_not_a_permit_is_refused_with_its_code() {
    let cases: &[(&str, &str, &str)] = &[
        // replace, by, code
        ("title ", "titel ", "TRE-PRJ-001"),
        ("title   = \"Outcomes by age band\"\n", "", "TRE-PRJ-001"),
        ("2026-01-01", "\"2026-01-01\"", "TRE-PRJ-001"),
        ("2026-01-01", "2026-02-30", "TRE-PRJ-001"),
        ("query_seconds = 300", "query_seconds = -1", "TRE-PRJ-001"),
        ("query_seconds = 300", "query_seconds = \"300\"", "TRE-PRJ-001"),
        ("sessions = 4", "sessions = 4\nthreads = 9", "TRE-PRJ-001"),
        ("reviewers = 0", "reviewers = 0.5", "TRE-PRJ-001"),
        ("[exit.view]", "[exit.rows]", "TRE-PRJ-001"),
        ("[limits]", "[limits", "TRE-PRJ-001"),
        ("\"liver-outcomes\"", "\"Liver Outcomes\"", "TRE-PRJ-002"),
        ("\"liver-outcomes\"", "\"../vault\"", "TRE-PRJ-002"),
        ("\"Outcomes by age band\"", "\" \"", "TRE-PRJ-002"),
        ("\"Article 68\"", "\"a\\u0007b\"", "TRE-PRJ-002"),
        ("EHDS-53-1-e", "EHDS-53-1-z", "TRE-PRJ-002"),
        ("\"alice\"", "\"al ice\"", "TRE-PRJ-002"),
        ("tables.visit", "tables.\"VISIT\"", "TRE-PRJ-002"),
        ("\"sex\"]", "\"Sex\"]", "TRE-PRJ-002"),
        (
            "policy = \"ndb\"\nreviewers = 2",
            "policy = \"../ndb\"\nreviewers = 2",
            "TRE-PRJ-002",
        ),
        ("2026-01-01", "2026-01-01T00:00:00Z", "TRE-PRJ-003"),
        ("2027-03-31", "2025-03-31", "TRE-PRJ-003"),
        ("\"bo\"", "\"alice\"", "TRE-PRJ-004"),
        ("roles = [\"checker\"]", "roles = [\"operator\"]", "TRE-PRJ-004"),
        ("roles = [\"checker\"]", "roles = []", "TRE-PRJ-004"),
        ("roles = [\"checker\"]", "roles = [\"boss\"]", "TRE-PRJ-004"),
        ("\"analyst\"", "\"checker\"", "TRE-PRJ-004"),
        (
            "\"pid\", \"age\", \"sex\"",
            "\"pid\", \"age\", \"age\"",
            "TRE-PRJ-005",
        ),
        ("\"pid\", \"age\", \"sex\"", "", "TRE-PRJ-005"),
        (
            "[exit.view]",
            "[[dataset]]\nid = \"liver\"\ntables.b.columns = [\"c\"]\n[exit.view]",
            "TRE-PRJ-005",
        ),
        (
            "[exit.view]",
            "[[dataset]]\nid = \"other\"\n[exit.view]",
            "TRE-PRJ-005",
        ),
        ("reviewers = 0", "reviewers = 1", "TRE-PRJ-006"),
        ("reviewers = 2", "reviewers = 3", "TRE-PRJ-006"),
        ("reviewers = 2", "reviewers = 200", "TRE-PRJ-006"),
        ("2 GiB", "2 GB", "TRE-PRJ-007"),
        ("2 GiB", "99999999999999999999 GiB", "TRE-PRJ-007"),
        ("2 GiB", "1 MiB", "TRE-PRJ-007"),
        ("query_seconds = 300", "query_seconds = 0", "TRE-PRJ-007"),
        ("sessions = 4", "sessions = 200", "TRE-PRJ-007"),
        ("\"age >= 40\"", "\"\"", "TRE-PRJ-009"),
    ];
    for (from, to, code) in cases {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD, "`{from}` is not in the permit");
        match Permit::parse(&text) {
            Err(problem) => {
                assert_eq!(problem.code.id, *code, "{from} -> {to}: {problem}");
                assert!(
                    !problem.what.contains('\n') && !problem.hint.is_empty(),
                    "{problem}"
                );
            }
            Ok(_) => panic!("{from} -> {to} was accepted"),
        }
    }
}

#[test]
fn a_syntax_error_names_its_line() {
    let problem = Permit::parse(&GOOD.replace("legal_basis", "legal basis")).unwrap_err();
    assert!(problem.what.starts_with("line 5 of the permit: "), "{problem}");
}

#[test]
fn the_last_day_is_inclusive_in_the_deployments_time_zone() {
    let valid = Validity {
        from: date(2026, 1, 1),
        until: date(2026, 1, 31),
    };
    let tokyo = TimeZone::fixed(jiff::tz::offset(9));
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for (now, zone, phase) in [
        ("2025-12-31T23:59:59Z", &TimeZone::UTC, Phase::NotYet),
        ("2025-12-31T15:00:00Z", &tokyo, Phase::InForce),
        ("2026-01-01T00:00:00Z", &TimeZone::UTC, Phase::InForce),
        ("2026-01-31T23:59:59Z", &TimeZone::UTC, Phase::InForce),
        ("2026-01-31T15:00:00Z", &tokyo, Phase::Expired),
        ("2026-02-01T00:00:00Z", &TimeZone::UTC, Phase::Expired),
    ] {
        assert_eq!(valid.phase(at(now), zone), phase, "{now}");
    }
    assert_eq!(valid.end(&tokyo).unwrap(), at("2026-01-31T15:00:00Z"));
}

#[test]
fn the_published_schema_knows_every_key_of_a_permit() {
    let schema = json_schema().to_string();
    for key in [
        "project",
        "legal_basis",
        "issued",
        "tables",
        "columns",
        "rows",
        "reviewers",
        "query_seconds",
        "until",
    ] {
        assert!(schema.contains(&format!("\"{key}\"")), "{key}");
    }
    assert!(schema.contains("\"additionalProperties\":false"));
}
