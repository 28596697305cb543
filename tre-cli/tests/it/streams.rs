//! Data on stdout, everything else on stderr, and a quiet end when nobody reads.

use std::io::Read;
use std::net::TcpListener;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{program, tre};

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = program()
        .args(["explain", "--json-schema", "all"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut some = [0; 16];
    stdout.read_exact(&mut some).expect("it prints something");
    drop(stdout);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}

#[test]
fn nothing_is_coloured_without_a_terminal() {
    let run = tre(&["explain", "TRE-XYZ-999"]);
    assert!(!run.err.contains('\u{1b}'), "{run:?}");
}

#[test]
fn a_script_that_cannot_be_read_is_named() {
    let run = crate::finish(
        program()
            .env("TRE_TOKEN", "token")
            .args(["sql", "-f", "/nowhere/query.sql"]),
    );
    run.fails(1, "TRE-CLI-002");
    assert!(run.err.contains("`/nowhere/query.sql`"), "{run:?}");
}

#[test]
fn ctrl_c_ends_a_call_at_once_and_quietly() {
    // A server that takes the connection and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("grpc://{}", silent.local_addr().expect("an address"));
    let child = program()
        .env("TRE_TOKEN", "token")
        .args(["sql", "-c", "SELECT 1", "--url", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let _connection = silent.accept().expect("it connects");
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(pid, Signal::SIGINT).expect("it can be interrupted");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(
        (output.stdout.as_slice(), output.stderr.as_slice()),
        (&b""[..], &b""[..])
    );
}
