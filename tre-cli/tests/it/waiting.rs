//! A home that somebody else holds for a moment is waited for, so that a script may start a server and go on.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tre_home::layout::Layout;

use crate::{program, tre_at};

/// A new home whose lock this test holds, as a server does before its socket is there.
fn held() -> (tempfile::TempDir, File) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let home = directory.path().join("home");
    tre_at(&home, &["init"]).succeeds();
    let lock = File::options()
        .write(true)
        .open(Layout::new(&home).lock())
        .expect("the lock's file");
    lock.try_lock().expect("nobody else has the lock");
    (directory, lock)
}

/// Starts a command on the home; its stderr is read line by line.
fn start(directory: &tempfile::TempDir, args: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let mut child = program()
        .env("TRE_HOME", directory.path().join("home"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let err = BufReader::new(child.stderr.take().expect("a pipe"));
    (child, err)
}

fn line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    line
}

const ISSUE: [&str; 6] = ["token", "issue", "--user", "olga", "--role", "operator"];

#[test]
fn a_token_is_issued_as_soon_as_the_home_is_free() {
    let (directory, lock) = held();
    let (child, mut err) = start(&directory, &ISSUE);
    let said = line(&mut err);
    assert!(
        said.starts_with("waiting: the home is in use by "),
        "it says what it waits for: {said}"
    );
    lock.unlock().expect("the lock ends");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    assert!(!output.stdout.is_empty(), "the token is printed");
}

#[test]
fn a_server_starts_as_soon_as_the_home_is_free() {
    let (directory, lock) = held();
    let (child, mut err) = start(&directory, &["serve", "--listen", "127.0.0.1:0"]);
    let said = line(&mut err);
    assert!(said.starts_with("waiting: "), "it says what it waits for: {said}");
    lock.unlock().expect("the lock ends");
    let mut said = line(&mut err);
    while !said.contains("listening on ") {
        assert!(!said.is_empty(), "it ended before it listened");
        said = line(&mut err);
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(pid, Signal::SIGTERM).expect("it can be told to stop");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_home_that_stays_held_is_given_up_with_its_holder_named() {
    let (directory, lock) = held();
    let run = tre_at(&directory.path().join("home"), &ISSUE);
    drop(lock);
    assert_eq!(run.code, Some(1), "{run:?}");
    let told = run.err.lines().find(|line| line.starts_with("TRE-HOME-004: "));
    assert!(told.is_some_and(|line| line.contains("in use by")), "{run:?}");
}
