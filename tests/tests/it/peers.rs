//! Programs of other people that `cargo xtask test` prepares: a Python with Flight SQL clients, a log verifier in Go.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use tre_tests::program::{Run, start, variable};
use tre_tests::wait::PATIENCE;

/// The interpreter of the virtual environment of `tests/clients/requirements.txt`.
fn python() -> Result<PathBuf> {
    let path =
        variable("TRE_TEST_PYTHON").context("no TRE_TEST_PYTHON: run the tests by `cargo xtask test`")?;
    Ok(PathBuf::from(path))
}

/// Runs one of the clients of `tests/clients`.
pub(crate) fn client(script: &str, arguments: &[&str]) -> Result<Run> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script);
    let mut command = Command::new(python()?);
    command.arg("-B").arg(path).args(arguments).stdin(Stdio::null());
    start(&mut command)
        .with_context(|| format!("cannot run `{script}`"))?
        .wait(PATIENCE)
}

/// Runs the log verifier.
pub(crate) fn verifier(arguments: &[&str]) -> Result<Run> {
    let path =
        variable("TRE_TEST_VERIFIER").context("no TRE_TEST_VERIFIER: run the tests by `cargo xtask test`")?;
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null());
    start(&mut command)
        .context("cannot run the verifier")?
        .wait(PATIENCE)
}
