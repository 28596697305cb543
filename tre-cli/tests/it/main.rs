//! The program as a person runs it: command lines in, exit codes and text out. No server is started here; what goes
//! through one is tested in the workspace's `tests` crate.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]

mod demo;
mod help;
mod homes;
mod policies;
mod streams;
mod usage;
mod waiting;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a run left.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

/// The program with an empty environment and no terminal.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tre"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// Runs a command line.
fn tre(args: &[&str]) -> Run {
    finish(program().args(args))
}

/// Runs a command line on a home.
fn tre_at(home: &Path, args: &[&str]) -> Run {
    finish(program().env("TRE_HOME", home).args(args))
}

fn finish(command: &mut Command) -> Run {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run {
        code: status.code(),
        out: text(stdout),
        err: text(stderr),
    }
}

impl Run {
    /// Insists on an error of two lines: code (or its area) and what, then what to do.
    fn fails(&self, code: i32, id: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let lines: Vec<&str> = self.err.lines().collect();
        assert!(
            lines
                .first()
                .is_some_and(|line| line.starts_with(id) && line.contains(": ")),
            "{self:?}"
        );
        assert!(
            lines
                .last()
                .is_some_and(|line| line.starts_with("  ") && line.len() > 4),
            "{self:?}"
        );
        assert_eq!(self.out, "", "errors belong on stderr");
    }

    /// Insists on success.
    fn succeeds(self) -> Run {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}
