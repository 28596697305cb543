//! `cargo xtask demo`: build `tre` as a developer would and let it tell its story.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::shell::{self, Shell, say};

/// Builds, says how long that took, and hands over, standard input included: the exit code is that of `tre demo`.
pub(crate) fn run(shell: &Shell, arguments: &[String]) -> Result<ExitCode> {
    let begun = Instant::now();
    shell::call(&mut shell.cargo(&["build", "--locked", "-p", "tre-cli"]))?;
    say(&format!("built in {:.1} s", begun.elapsed().as_secs_f64()));
    let program = shell.target.join("debug").join("tre");
    let status = Command::new(&program)
        .arg("demo")
        .args(arguments)
        .status()
        .with_context(|| format!("cannot run `{}`", program.display()))?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}
