//! Command lines that mean nothing end with 2 before anything is opened or asked; what is not there yet says so.

use crate::tre;

#[test]
fn malformed_command_lines_are_usage_errors() {
    for args in [
        &[][..],
        &["nothing"],
        &["dataset"],
        &["dataset", "show"],
        &["project", "show", "Not A Project"],
        &["request", "show", "req_short"],
        &["request", "submit", "-c", "SELECT 1", "--title", "t"],
        &["review", "return", "req_mfrggzdfmztwq2lk"],
        &["session", "kill", "../etc"],
        &["sql", "-c", "SELECT 1", "-f", "file"],
        &["sql", "--format", "xml"],
        &["sql", "--strict", "--no-disclosure"],
        &["sql", "--url", "http://127.0.0.1:1"],
        &["sql", "--url", "grpc://tre.example:50051"],
        &["token", "issue", "--home", "h", "--user", "a", "--role", "king"],
        &[
            "token", "issue", "--home", "h", "--user", "alice", "--role", "analyst",
        ],
        &[
            "token", "issue", "--home", "h", "--user", "o", "--role", "operator", "--ttl", "soon",
        ],
        &[
            "token", "issue", "--home", "h", "--user", "o", "--role", "operator", "--ttl", "-1h",
        ],
        &["token", "revoke", "--home", "h", "tok_x"],
        &["serve", "--home", "h", "--listen", "here"],
        &["init"],
        &["init", "--home", "h", "--timezone", "Nowhere/Now"],
        &["audit", "verify"],
        &["explain", "TRE-SQL-001", "--json-schema", "answer"],
    ] {
        let run = tre(args);
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{args:?}: {run:?}");
        assert!(!run.err.is_empty(), "{args:?}");
    }
}

#[test]
fn what_this_version_does_not_have_says_so() {
    for args in [
        &["budget", "show"][..],
        &["serve", "--home", "h", "--web", "127.0.0.1:8080"],
    ] {
        let run = tre(args);
        run.fails(2, "TRE-RUN-004");
        assert!(
            run.err.contains("does not exist in this version"),
            "{args:?}: {run:?}"
        );
    }
}

#[test]
fn a_command_that_asks_a_server_needs_a_token_and_a_server() {
    tre(&["dataset", "list"]).fails(1, "TRE-CLI-003");
    let nobody = ["--url", "grpc://127.0.0.1:1"];
    let run = crate::finish(
        crate::program()
            .env("TRE_TOKEN", "token")
            .args(["dataset", "list"])
            .args(nobody),
    );
    run.fails(1, "TRE-CLI-004");
    assert!(run.err.contains("`grpc://127.0.0.1:1`"), "{run:?}");
}

#[test]
fn an_unknown_code_is_an_error() {
    tre(&["explain", "TRE-XYZ-999"]).fails(1, "TRE-CLI-009");
}

#[test]
fn workers_are_not_started_by_hand() {
    for args in [&["desk"][..], &["data"], &["desk", "a", "b"]] {
        assert_eq!(tre(args).code, Some(2), "{args:?}");
    }
}
