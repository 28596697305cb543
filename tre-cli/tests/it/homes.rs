//! Commands that work on a home's files: init, ingest, token, audit, doctor.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::{Run, tre, tre_at};

const SPEC: &str = r#"
dataset    = "liver"
title      = "Liver clinic"
population = "clinic"
[[table]]
name  = "visit"
files = ["visit.csv"]
unit  = { column = "patient", canon = "text" }
[table.columns]
age = { type = "int", generalise = { bands = [0, 40, 60] } }
sex = { type = "text", values = ["F", "M"] }
"#;

const VISITS: &str = "patient,name,age,sex\np1,Ann,44,F\np2,Bob,61,M\np1,Ann,45,F\n";

/// A home in a temporary directory, with a spec and its file beside it.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let place = Place { directory };
        fs::write(place.path("spec.toml"), SPEC).expect("the spec is written");
        fs::write(place.path("visit.csv"), VISITS).expect("the file is written");
        place.tre(&["init"]).succeeds();
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn home(&self) -> std::path::PathBuf {
        self.path("home")
    }

    fn tre(&self, args: &[&str]) -> Run {
        tre_at(&self.home(), args)
    }

    fn ingest(&self) -> Run {
        let spec = self.path("spec.toml");
        self.tre(&["ingest", spec.to_str().expect("a plain path"), "--format", "json"])
    }

    fn events(&self) -> Vec<String> {
        let log = self.home().join("audit");
        let log = log.to_str().expect("a plain path");
        let entries = self.tre(&["audit", "export", "--log", log]).succeeds().out;
        entries
            .lines()
            .map(|line| {
                let entry: Value = serde_json::from_str(line).expect("one JSON document a line");
                entry
                    .pointer("/tre/what/event")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    }
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.out).expect("JSON on stdout")
}

#[test]
fn init_makes_a_home_once() {
    let place = Place::new();
    assert!(place.home().join("tre.toml").is_file());
    let vault = fs::metadata(place.home().join("vault"))
        .expect("a vault")
        .permissions()
        .mode();
    assert_eq!(vault & 0o777, 0o700);
    place.tre(&["init"]).fails(1, "TRE-HOME-001");
}

#[test]
fn init_can_make_a_certificate() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let home = place.path().join("home");
    let run = tre_at(
        &home,
        &["init", "--self-signed", "tre.example", "--format", "json"],
    )
    .succeeds();
    assert!(
        json(&run).pointer("/certificate").is_some_and(Value::is_string),
        "{run:?}"
    );
    assert!(home.join("tls/cert.pem").is_file() && home.join("tls/key.pem").is_file());
}

#[test]
fn a_directory_that_is_no_home_is_named_as_such() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let home = place.path();
    tre_at(home, &["ingest", "spec.toml"]).fails(1, "TRE-HOME-002");
    tre_at(home, &["doctor"]).fails(1, "TRE-HOME-002");
    tre_at(home, &["serve"]).fails(1, "TRE-HOME-002");
    tre_at(home, &["token", "issue", "--user", "o", "--role", "operator"]).fails(1, "TRE-HOME-002");
}

#[test]
fn ingest_reports_what_it_kept_and_dropped() {
    let place = Place::new();
    let report = json(&place.ingest().succeeds());
    assert_eq!(report.pointer("/kind"), Some(&"ingest".into()));
    assert_eq!(report.pointer("/outcome"), Some(&"published".into()));
    assert_eq!(report.pointer("/units"), Some(&2.into()));
    assert_eq!(
        report.pointer("/tables/0/dropped_columns"),
        Some(&serde_json::json!(["name"]))
    );
    let again = json(&place.ingest().succeeds());
    assert_eq!(again.pointer("/outcome"), Some(&"unchanged".into()));
    assert_eq!(again.pointer("/version"), report.pointer("/version"));
    assert_eq!(
        place.events(),
        ["home_initialised", "dataset_ingested", "dataset_unchanged"]
    );
}

#[test]
fn rows_that_do_not_parse_are_counted_with_their_place() {
    let place = Place::new();
    fs::write(place.path("visit.csv"), "patient,age,sex\np1,old,F\n").expect("the file is written");
    let run = place.ingest();
    run.fails(1, "TRE-ING-");
    assert!(run.err.contains("`visit.csv`, line 2"), "{run:?}");
    assert!(!run.err.contains("old"), "no value may be repeated: {run:?}");
    assert_eq!(
        fs::read_dir(place.home().join("datasets"))
            .expect("a directory")
            .flatten()
            .filter(|e| e.path().is_dir() && !e.file_name().to_string_lossy().starts_with('.'))
            .count(),
        0
    );
    assert_eq!(place.events(), ["home_initialised", "dataset_refused"]);
}

#[test]
fn a_token_is_printed_alone_and_logged() {
    let place = Place::new();
    let run = place
        .tre(&["token", "issue", "--user", "olga", "--role", "operator"])
        .succeeds();
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(
        matches!(lines.as_slice(), [token] if token.split('.').count() == 3),
        "{run:?}"
    );
    let id = run
        .err
        .split_whitespace()
        .find(|word| word.starts_with("tok_"))
        .expect("its id on stderr");
    place.tre(&["token", "revoke", id]).succeeds();
    assert_eq!(
        place.events(),
        ["home_initialised", "token_issued", "token_revoked"]
    );
    place
        .tre(&["token", "revoke", "tok_mfrggzdfmztwq2lk"])
        .fails(1, "TRE-AUTH-");
}

#[test]
fn an_intact_log_verifies_and_an_altered_one_does_not() {
    let place = Place::new();
    place.ingest().succeeds();
    let run = place.tre(&["audit", "verify", "--format", "json"]).succeeds();
    assert_eq!(json(&run).pointer("/entries"), Some(&2.into()));

    let copy = place.path("copy");
    let copy = copy.to_str().expect("a plain path");
    let log = place.home().join("audit");
    let log = log.to_str().expect("a plain path");
    place
        .tre(&["audit", "export", "--log", log, "--copy", copy])
        .succeeds();
    place.tre(&["audit", "verify", "--log", copy]).succeeds();
    alter(Path::new(copy));
    let run = place.tre(&["audit", "verify", "--log", copy, "--format", "json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.starts_with("TRE-LOG-002: "), "{run:?}");
    assert_eq!(json(&run).pointer("/intact"), Some(&false.into()));
    place.tre(&["audit", "verify"]).succeeds();
}

/// Flips one bit of the checkpoint's root.
fn alter(copy: &Path) {
    let path = copy.join("checkpoint");
    let mut bytes = fs::read(&path).expect("a checkpoint");
    let middle = bytes.len() / 3;
    *bytes.get_mut(middle).expect("a byte") ^= 1;
    fs::write(&path, bytes).expect("it is written");
}

#[test]
fn doctor_finds_a_key_that_others_can_read() {
    let place = Place::new();
    let run = place.tre(&["doctor", "--format", "json"]);
    let of_home = |run: &Run| -> Vec<Value> {
        let rows = json(run)
            .get("rows")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        rows.into_iter()
            .filter(|row| row.get("area") != Some(&"jail".into()))
            .collect()
    };
    assert!(
        of_home(&run)
            .iter()
            .all(|row| row.get("state") != Some(&"fail".into())),
        "{run:?}"
    );

    let checkpoint = place.home().join("audit/checkpoint");
    fs::set_permissions(&checkpoint, fs::Permissions::from_mode(0o644)).expect("modes change");
    let run = place.tre(&["doctor", "--format", "json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let failed: Vec<Value> = of_home(&run)
        .into_iter()
        .filter(|row| row.get("state") == Some(&"fail".into()))
        .collect();
    assert!(
        matches!(failed.as_slice(), [row] if row.get("check") == Some(&"modes of audit/".into())),
        "{failed:?}"
    );
}

#[test]
fn doctor_looks_at_the_jail_without_a_home() {
    let run = tre(&["doctor", "--format", "csv"]);
    assert!(
        run.out.starts_with("area,check,state,found,what to do\n"),
        "{run:?}"
    );
    assert!(run.out.lines().any(|line| line.starts_with("jail,")), "{run:?}");
}
