//! Everything that people can get wrong: a clear error with its code, an entry of the refusal, and a home that is
//! otherwise byte for byte as it was.
//!
//! Each kind of input is a table of cases in a file of its own.

mod files;
mod permits;
mod policies;
mod queries;
mod specs;
mod tokens;

use std::collections::BTreeSet;
use std::fs;

use anyhow::Result;
use tre_tests::home::{Home, Token};
use tre_tests::log::event;
use tre_tests::person::Person;
use tre_tests::program::Run;
use tre_tests::scenes::{CLINIC, ICD10, Permit, ingest_clinic, visits};
use tre_tests::server::Server;

use crate::words::explained;

/// The least number of cases in all.
const CASES: usize = 80;

/// What is handed in.
enum Input {
    /// A spec, beside the clinic's files or others in their place; to `tre ingest`.
    Ingest {
        spec: String,
        files: Vec<(&'static str, Vec<u8>)>,
    },
    /// A permit, to `tre project apply`.
    Permit(String),
    /// A policy file `bad.toml` in the home, and a permit that names it.
    Policy(String),
    /// A query of alice's.
    Sql(String),
    /// Any text for a token, with a good query.
    Token(String),
    /// A command line on the home.
    Words(Vec<&'static str>),
}

/// A row of the tables.
struct Case {
    /// What is wrong, in words.
    name: String,
    input: Input,
    exit: i32,
    code: &'static str,
    /// Entries that it makes in the log, by what happened; none where nobody but the command line knows of it.
    entries: &'static [&'static str],
}

impl Case {
    fn new(code: &'static str, name: impl Into<String>, input: Input) -> Case {
        let entries: &[&str] = match &input {
            Input::Ingest { .. } => &["dataset_refused"],
            Input::Permit(_) | Input::Policy(_) => &["project_refused"],
            Input::Sql(_) => &["query_refused"],
            Input::Token(_) => &["token_refused"],
            Input::Words(_) => &["control_refused"],
        };
        Case {
            name: name.into(),
            input,
            exit: 1,
            code,
            entries,
        }
    }

    fn entries(self, entries: &'static [&'static str]) -> Case {
        Case { entries, ..self }
    }
}

/// A home with the clinic, a project, and alice at work in it.
struct Scene {
    // Before the home: fields are dropped in this order, and a server writes to the end.
    server: Server,
    home: Home,
    operator: Person,
    alice: Person,
    token: Token,
}

impl Scene {
    fn new() -> Result<Scene> {
        let home = Home::empty()?;
        ingest_clinic(&home)?;
        let server = Server::start(&home)?;
        let operator = server.person(&home.token("olga", "operator", None)?);
        home.write("permit.toml", Permit::default().text())?;
        operator.tre(&["project", "apply", "permit.toml"])?.ok()?;
        let token = home.token("alice", "analyst", Some("liver-outcomes"))?;
        let alice = server.person(&token);
        // Her session and its workers are there from now on.
        alice.sql("SELECT count(*) AS n FROM visit")?;
        Ok(Scene {
            home,
            server,
            operator,
            alice,
            token,
        })
    }

    fn run(&self, case: &Case) -> Result<Run> {
        match &case.input {
            Input::Ingest { spec, files } => {
                let directory = self.home.beside("bad");
                if directory.exists() {
                    fs::remove_dir_all(&directory)?;
                }
                self.home.write("bad/spec.toml", spec)?;
                self.home.write("bad/icd10.csv", ICD10)?;
                if files.is_empty() {
                    self.home.write("bad/visit.csv", visits())?;
                }
                for (name, bytes) in files {
                    self.home.write(&format!("bad/{name}"), bytes)?;
                }
                self.home.tre(&["ingest", "bad/spec.toml"])
            }
            Input::Permit(text) => {
                self.home.write("bad.toml", text)?;
                self.operator.tre(&["project", "apply", "bad.toml"])
            }
            Input::Policy(text) => {
                let file = self.home.path().join("policies/sdc/bad.toml");
                fs::write(&file, text)?;
                let permit = Permit {
                    project: "bad-policy",
                    policy: "bad",
                    ..Permit::default()
                };
                self.home.write("bad.toml", permit.text())?;
                let run = self.operator.tre(&["project", "apply", "bad.toml"]);
                fs::remove_file(&file)?;
                run
            }
            Input::Sql(text) => self.alice.tre(&["sql", "-c", text]),
            Input::Token(text) => {
                self.server
                    .anybody(text)
                    .tre(&["sql", "-c", "SELECT count(*) AS n FROM visit"])
            }
            Input::Words(words) => self.home.tre(words),
        }
    }
}

#[test]
fn each_is_refused_with_its_code_and_changes_nothing() {
    let scene = Scene::new().unwrap();
    let cases: Vec<Case> = [
        specs::cases(),
        files::cases(),
        permits::cases(),
        policies::cases(&scene.home),
        tokens::cases(&scene),
        queries::cases(),
    ]
    .into_iter()
    .flatten()
    .collect();
    assert!(cases.len() >= CASES, "{} cases", cases.len());
    let before = scene.home.snapshot().unwrap();
    let log_before = scene.home.log().unwrap().len();

    let mut wrong = Vec::new();
    let mut told = BTreeSet::new();
    let mut seen = log_before;
    for case in &cases {
        let run = scene.run(case).unwrap();
        told.extend(run.told().map(str::to_owned));
        match run.fails(case.exit, case.code) {
            Err(error) => wrong.push(format!("{}: {error}", case.name)),
            Ok(run) if run.err.contains("panicked") => wrong.push(format!("{}: a panic\n{run}", case.name)),
            Ok(_) => {}
        }
        let log = scene.home.log().unwrap();
        let grown: Vec<&str> = log.iter().skip(seen).map(event).collect();
        if grown != case.entries {
            wrong.push(format!(
                "{}: the log grew by {grown:?}, not by {:?}",
                case.name, case.entries
            ));
        }
        seen = log.len();
    }
    if let Err(error) = scene.home.snapshot().unwrap().is_same_as(&before) {
        wrong.push(format!("{error}"));
    }
    let known = explained();
    wrong.extend(
        told.iter()
            .filter(|code| !known.contains(*code))
            .map(|code| format!("{code} is not explained")),
    );
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n\n")
    );

    // Alice's session has survived them all, and so has the home.
    scene.alice.sql("SELECT count(*) AS n FROM visit").unwrap();
    scene.home.is_sound().unwrap();
    scene.server.stop().unwrap();
    scene.home.is_sound().unwrap();
}

/// The clinic's spec with one piece of text replaced.
fn spec_with(from: &str, to: &str) -> String {
    assert!(CLINIC.contains(from), "`{from}` is not in the clinic's spec");
    CLINIC.replacen(from, to, 1)
}
