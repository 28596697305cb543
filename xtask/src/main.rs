//! Developer commands: `cargo xtask demo`, `cargo xtask test`, `cargo xtask soak`, `cargo xtask tidy`.
//!
//! `demo` builds `tre` and lets it tell its story. `test` is the whole check of the project, the same for a developer and
//! for CI: it installs what peers need, checks format, tidiness and lints, builds and runs every test, and prints how
//! long each step took. `tidy` is the quick part of it that needs no compiler. `soak` asks one of the tests far more.
//!
//! Nothing is ever skipped: what cannot be run is an error.

mod shell;

mod demo;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

use shell::{Shell, say};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo [ARGUMENTS]   build `tre` and run `tre demo` with these arguments
  test               everything that CI checks: format, tidiness, lints, all tests, Python and Go peers
  soak [--queries N] [--seed N]
                     the soundness property over N queries (20000) on worlds from a seed (0) on
  tidy               dependency directions, file lengths, forgotten test files and the like; no build";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let result = match (command.as_deref(), rest.as_slice()) {
        (Some("demo"), arguments) => Shell::new().and_then(|shell| demo::run(&shell, arguments)),
        (Some("soak"), arguments) => Shell::new().and_then(|shell| soak::run(&shell, arguments)),
        (Some("test"), []) => Shell::new().and_then(|shell| test::run(&shell)),
        (Some("tidy"), []) => Shell::new().and_then(|shell| tidy::run(&shell)),
        (Some("test" | "tidy"), [argument, ..]) => {
            return usage(&format!("unexpected argument `{argument}`"));
        }
        (Some("help" | "-h" | "--help"), _) => {
            say(USAGE);
            return ExitCode::SUCCESS;
        }
        (Some(unknown), _) => return usage(&format!("there is no command `{unknown}`")),
        (None, _) => return usage("which command?"),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says what is wrong and what there is; exit code 2.
fn usage(problem: &str) -> ExitCode {
    eprintln!("xtask: {problem}\n\n{USAGE}");
    ExitCode::from(2)
}
