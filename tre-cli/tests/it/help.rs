//! Help and explanations.

use crate::tre;

const COMMANDS: [&str; 19] = [
    "init", "ingest", "dataset", "project", "token", "serve", "sql", "check", "schema", "request", "review",
    "release", "session", "policy", "budget", "audit", "doctor", "explain", "demo",
];

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let help = tre(&["--help"]).succeeds().out;
    for command in COMMANDS {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(command)),
            "{command} in {help}"
        );
    }
    assert!(help.contains("3 referred"), "{help}");
    assert!(
        !help.contains("desk"),
        "the workers are nobody's commands: {help}"
    );
}

#[test]
fn every_command_has_help() {
    for command in COMMANDS {
        let help = tre(&[command, "--help"]).succeeds().out;
        assert!(help.contains("Usage: tre"), "{help}");
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{command}: {help}"
        );
    }
}

#[test]
fn a_token_in_the_environment_is_never_printed() {
    let run = crate::finish(
        crate::program()
            .env("TRE_TOKEN", "very-secret")
            .args(["sql", "--help"]),
    );
    assert!(!run.out.contains("very-secret"), "{run:?}");
}

#[test]
fn a_code_is_explained_in_any_case_and_as_json() {
    let text = tre(&["explain", "tre-sql-005"]).succeeds().out;
    assert!(text.starts_with("code  TRE-SQL-005\n"), "{text}");
    let json = tre(&["explain", "TRE-SQL-005", "--format", "json"])
        .succeeds()
        .out;
    assert!(
        json.starts_with("{\n  \"kind\": \"code\",\n  \"code\": \"TRE-SQL-005\""),
        "{json}"
    );
}

#[test]
fn codes_are_listed() {
    let csv = tre(&["explain", "--format", "csv"]).succeeds().out;
    assert!(csv.starts_with("code,title\n"), "{csv}");
    for area in [
        "TRE-CLI-",
        "TRE-HOME-",
        "TRE-ING-",
        "TRE-RUN-",
        "TRE-SDC-",
        "TRE-SQL-",
    ] {
        assert!(csv.contains(area), "{area}");
    }
}

#[test]
fn the_shape_of_json_is_published() {
    let schema = tre(&["explain", "--json-schema", "answer"]).succeeds().out;
    assert!(schema.contains("\"const\": \"answer\""), "{schema}");
    tre(&["explain", "--json-schema", "nothing"]).fails(2, "TRE-CLI-001");
}
