//! What the commands need of the machine: where things are, running programs, taking their time.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Where things are. The environment is read here and nowhere else.
#[derive(Debug)]
pub(crate) struct Shell {
    /// The workspace's root.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, whoever chose it.
    pub(crate) target: PathBuf,
    cargo: String,
    /// What `cargo run` told this program about itself. Build scripts of some dependencies watch these names.
    about_xtask: Vec<OsString>,
}

impl Shell {
    /// Asks Cargo's environment variables and the place of this program.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of xtask that reads the environment"
    )]
    pub(crate) fn new() -> Result<Shell> {
        let manifest = std::env::var("CARGO_MANIFEST_DIR").context("run this as `cargo xtask …`")?;
        let root = Path::new(&manifest)
            .parent()
            .context("xtask lies in the workspace")?
            .to_path_buf();
        // target/debug/xtask, or target/debug/deps/xtask-… for its tests.
        let program = std::env::current_exe().context("cannot tell where xtask is")?;
        let target = program
            .ancestors()
            .find(|directory| directory.ends_with("debug") || directory.ends_with("release"))
            .and_then(Path::parent)
            .with_context(|| format!("`{}` is in no target directory", program.display()))?
            .to_path_buf();
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let about_xtask = std::env::vars_os()
            .map(|(name, _)| name)
            .filter(|name| {
                let name = name.to_string_lossy();
                name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
            })
            .collect();
        Ok(Shell {
            root,
            target,
            cargo,
            about_xtask,
        })
    }

    /// A directory in the target directory for what peers need: virtual environment, verifier.
    pub(crate) fn peers(&self) -> PathBuf {
        self.target.join("peers")
    }

    /// `cargo` in the workspace's root, in the environment of somebody who types the command: otherwise `ring`, whose
    /// build script watches the package's name, and all that depends on it would be compiled anew at every change
    /// between the two.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(&self.cargo, arguments);
        command.env("CARGO_TARGET_DIR", &self.target);
        for name in &self.about_xtask {
            command.env_remove(name);
        }
        command
    }

    /// Any program in the workspace's root, without standard input.
    pub(crate) fn program(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(name);
        command
            .args(arguments)
            .current_dir(&self.root)
            .stdin(Stdio::null());
        command
    }
}

/// Prints a line on stdout; a closed pipe is not our problem.
pub(crate) fn say(text: &str) {
    let _closed = writeln!(io::stdout().lock(), "{text}");
}

/// The command as a person would type it.
fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a command with its output on ours. A failure names the command.
pub(crate) fn call(command: &mut Command) -> Result<()> {
    let typed = typed(command);
    say(&format!("$ {typed}"));
    let status = command
        .status()
        .with_context(|| format!("cannot run `{typed}`"))?;
    ensure!(status.success(), "`{typed}` failed ({status})");
    Ok(())
}

/// Runs a command, shows its output (stderr in its place among stdout) and gives each line to `look` as well.
pub(crate) fn call_watched(command: &mut Command, mut look: impl FnMut(&str)) -> Result<()> {
    let typed = typed(command);
    say(&format!("$ {typed}"));
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    let second = writer.try_clone().context("cannot make a pipe")?;
    let mut child = command
        .stdout(writer)
        .stderr(second)
        .spawn()
        .with_context(|| format!("cannot run `{typed}`"))?;
    // The command holds our ends of the pipe too; without closing them the reading would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches('\n');
        say(text);
        look(text);
        line.clear();
    }
    let status = child.wait()?;
    ensure!(status.success(), "`{typed}` failed ({status})");
    Ok(())
}

/// What a command prints on stdout. A failure carries what it said on stderr.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let typed = typed(command);
    let output = command
        .output()
        .with_context(|| format!("cannot run `{typed}`"))?;
    if !output.status.success() {
        bail!(
            "`{typed}` failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{typed}` does not print UTF-8"))
}

/// Whether a command can be run and succeeds; it stays silent.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Names of steps and how long they took.
#[derive(Debug, Default)]
pub(crate) struct Times {
    rows: Vec<(String, Duration)>,
}

impl Times {
    /// Runs a step and notes its time, also if it fails.
    pub(crate) fn step<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        say(&format!("\n== {name}"));
        let begun = Instant::now();
        let result = step();
        self.rows.push((name.to_owned(), begun.elapsed()));
        result
    }

    /// Notes a time taken elsewhere.
    pub(crate) fn note(&mut self, name: &str, time: Duration) {
        self.rows.push((name.to_owned(), time));
    }

    /// The table: right-aligned seconds, then names, in the order of the steps.
    pub(crate) fn table(&self) -> String {
        let rows = self
            .rows
            .iter()
            .map(|(name, time)| format!("{:>9.1} s  {name}\n", time.as_secs_f64()));
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_watched_command_is_read_to_its_end_and_its_failure_told() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        let error = call_watched(&mut command, |line| lines.push(line.to_owned())).unwrap_err();
        assert_eq!(lines, ["one", "two"]);
        assert!(error.to_string().contains("exit status: 3"), "{error}");
    }

    #[test]
    fn a_failing_step_is_in_the_table_too() {
        let mut times = Times::default();
        let result: Result<()> = times.step("lints", || bail!("no"));
        assert!(result.is_err() && times.table().ends_with("s  lints\n"));
    }
}
