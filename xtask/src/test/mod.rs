//! `cargo xtask test`: everything that CI checks.
//!
//! What can stop early stops early: first what the machine lacks, then what needs no compiler. The build of the tests
//! is a step of its own, so that the table at the end tells compiling from testing.

mod needs;
mod peers;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::shell::{Shell, Times, call, call_watched, say};
use crate::tidy;

/// The command. Prints the table of times whether or not a step failed.
pub(crate) fn run(shell: &Shell) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut times = Times::default();
    let result = steps(shell, &mut times);
    times.note("in all", begun.elapsed());
    say(&format!("\n{}", times.table()));
    result.map(|()| ExitCode::SUCCESS)
}

fn steps(shell: &Shell, times: &mut Times) -> Result<()> {
    times.step("what the machine needs", || needs::install(shell))?;
    times.step("format", || call(&mut shell.cargo(&["fmt", "--all", "--check"])))?;
    times.step("tidiness", || tidy::check(shell))?;
    let python = times.step("Python environment", || peers::python(shell))?;
    let verifier = times.step("log verifier in Go", || peers::verifier(shell))?;
    times.step("lints", || {
        call(&mut shell.cargo(&[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    times.step("build of tests", || {
        call(&mut shell.cargo(&["test", "--locked", "--workspace", "--no-run"]))
    })?;
    let mut suites = Suites::default();
    let tested = times.step("tests and doc tests", || {
        let mut command = shell.cargo(&["test", "--locked", "--workspace", "--no-fail-fast"]);
        command
            .env(peers::PYTHON, &python)
            .env(peers::VERIFIER, &verifier);
        call_watched(&mut command, |line| suites.look(line))
    });
    for (name, time) in suites.times {
        times.note(&format!("  {name}"), time);
    }
    tested?;
    ensure!(suites.passed > 0, "no test ran");
    Ok(())
}

/// Reads the times of test binaries from what `cargo test` prints.
#[derive(Debug, Default)]
struct Suites {
    running: String,
    times: Vec<(String, Duration)>,
    passed: u64,
}

impl Suites {
    fn look(&mut self, line: &str) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("Running ") {
            self.running = suite(rest);
        } else if let Some(rest) = line.strip_prefix("Doc-tests ") {
            self.running = format!("doc tests of {rest}");
        } else if let Some(result) = line.strip_prefix("test result: ") {
            let words: Vec<&str> = result.split([' ', ';']).filter(|word| !word.is_empty()).collect();
            let before = |word: &str| {
                let at = words.iter().position(|other| *other == word)?;
                words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
            };
            let seconds = words
                .last()
                .and_then(|word| word.strip_suffix('s'))
                .and_then(|word| word.parse().ok());
            let passed = before("passed").unwrap_or(0);
            let failed = before("failed").unwrap_or(0);
            self.passed += passed;
            if passed + failed > 0 {
                let time = Duration::from_secs_f64(seconds.unwrap_or(0.0));
                self.times.push((
                    format!("{}: {passed} passed, {failed} failed", self.running),
                    time,
                ));
            }
        }
    }
}

/// `unittests src/lib.rs (…/deps/tre_core-0123456789abcdef)` becomes `tre_core unittests src/lib.rs`.
fn suite(running: &str) -> String {
    let (what, program) = running.split_once(" (").unwrap_or((running, ""));
    let name = program
        .trim_end_matches(')')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
    format!("{name} {what}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_test_binaries_are_read() {
        let mut suites = Suites::default();
        for line in [
            "     Running unittests src/lib.rs (/t/debug/deps/tre_core-0123456789abcdef)",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.50s",
            "     Running tests/it/main.rs (t/debug/deps/it-0123456789abcdef)",
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.25s",
            "   Doc-tests tre_core",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            suites.look(line);
        }
        assert_eq!(suites.passed, 15);
        let expected = [
            (
                "tre_core unittests src/lib.rs: 12 passed, 0 failed".to_owned(),
                Duration::from_millis(1500),
            ),
            (
                "it tests/it/main.rs: 3 passed, 1 failed".to_owned(),
                Duration::from_millis(250),
            ),
        ];
        assert_eq!(suites.times, expected);
    }
}
