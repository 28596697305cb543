//! The program `tre`: where it is, and running it to its end.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::wait::{PATIENCE, until};

/// A variable of the environment that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that reads the environment"
)]
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The program: `TRE_BIN`, else `tre` in the target directory from which this test runs.
pub fn binary() -> Result<PathBuf> {
    const BUILD: &str = "build it with `cargo build -p tre-cli`, or name it with TRE_BIN";
    let path = match variable("TRE_BIN") {
        Some(path) => PathBuf::from(path),
        None => {
            let test = std::env::current_exe().context("cannot tell where the tests are")?;
            // target/debug/deps/it-… is the test, target/debug/tre the program.
            let target = test
                .parent()
                .and_then(Path::parent)
                .context("the tests are in no target directory")?;
            target.join("tre")
        }
    };
    ensure!(
        path.is_file(),
        "there is no program `{}`: {BUILD}",
        path.display()
    );
    Ok(path)
}

/// A way to run the program: its environment and working directory.
#[derive(Debug, Clone)]
pub struct Tre {
    binary: PathBuf,
    directory: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Tre {
    /// The program in a directory, with an empty environment.
    pub fn new(directory: &Path) -> Result<Tre> {
        let environment = Vec::new();
        Ok(Tre {
            binary: binary()?,
            directory: directory.to_path_buf(),
            environment,
        })
    }

    /// The same with a variable set.
    #[must_use]
    pub fn with(&self, name: &str, value: impl AsRef<OsStr>) -> Tre {
        let mut changed = self.clone();
        changed.environment.retain(|(other, _)| other != name);
        changed.environment.push((name.into(), value.as_ref().to_owned()));
        changed
    }

    /// A command line, not started yet.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(words)
            .current_dir(&self.directory)
            .stdin(Stdio::null());
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command line to its end.
    pub fn run(&self, words: &[&str]) -> Result<Run> {
        self.start(words)?.wait(PATIENCE)
    }

    /// Starts a command line.
    pub fn start(&self, words: &[&str]) -> Result<Running> {
        let mut command = self.command(words);
        start(&mut command).with_context(|| format!("cannot start `tre {}`", words.join(" ")))
    }
}

/// Starts any command with its output collected.
pub fn start(command: &mut Command) -> Result<Running> {
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let out = child.stdout.take().map(collect);
    let err = child.stderr.take().map(collect);
    Ok(Running {
        words: words.join(" "),
        child,
        out,
        err,
    })
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is what there is.
        let _ended = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// A command that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    words: String,
    child: Child,
    out: Option<JoinHandle<Vec<u8>>>,
    err: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// `kill -9`.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().context("cannot kill")
    }

    /// Waits for its end.
    pub fn wait(mut self, deadline: Duration) -> Result<Run> {
        let what = format!("the end of `{}`", self.words);
        let status = until(&what, deadline, || Ok(self.child.try_wait()?))?;
        let text = |reader: Option<JoinHandle<Vec<u8>>>| -> Result<String> {
            let bytes = reader
                .map(JoinHandle::join)
                .transpose()
                .ok()
                .flatten()
                .unwrap_or_default();
            String::from_utf8(bytes).context("the output is not UTF-8")
        };
        let (out, err) = (text(self.out.take())?, text(self.err.take())?);
        Ok(Run {
            words: self.words.clone(),
            status,
            out,
            err,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What a run left.
#[derive(Debug, Clone)]
pub struct Run {
    /// The command line, without the program.
    pub words: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed on stdout.
    pub out: String,
    /// What it printed on stderr.
    pub err: String,
}

impl Run {
    /// Insists on an exit code.
    pub fn ends(self, code: i32) -> Result<Run> {
        ensure!(
            self.status.code() == Some(code),
            "expected exit code {code}\n{self}"
        );
        Ok(self)
    }

    /// Insists on success.
    pub fn ok(self) -> Result<Run> {
        self.ends(0)
    }

    /// Insists on an exit code and an error code, told in two lines: what happened, then what to do.
    pub fn fails(self, code: i32, id: &str) -> Result<Run> {
        let run = self.ends(code)?;
        ensure!(run.told() == Some(id), "expected the error `{id}`\n{run}");
        let last = run.err.lines().last().unwrap_or_default();
        ensure!(
            last.starts_with("  ") && last.trim().len() > 4,
            "the error does not say what to do\n{run}"
        );
        Ok(run)
    }

    /// Whether a failpoint ended it.
    pub fn aborted(&self) -> bool {
        self.status.signal() == Some(nix::libc::SIGABRT)
    }

    /// The code of the error that was told, e.g. `TRE-SQL-005`.
    pub fn told(&self) -> Option<&str> {
        self.err
            .lines()
            .find(|line| line.starts_with("TRE-"))
            .and_then(|line| line.split(':').next())
    }

    /// Stdout as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.out).with_context(|| format!("stdout is not one JSON document\n{self}"))
    }

    /// The first word on stderr that begins so, e.g. the `tok_` of an id.
    pub fn id(&self, prefix: &str) -> Result<String> {
        let mut words = self.err.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        match words.find(|word| word.starts_with(prefix)) {
            Some(word) => Ok(word.to_owned()),
            None => bail!("no `{prefix}…` on stderr\n{self}"),
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = |text: &str| text.chars().take(4000).collect::<String>();
        write!(
            f,
            "`tre {}` ended with {}\nstdout: {}\nstderr: {}",
            cut(&self.words),
            self.status,
            cut(&self.out),
            cut(&self.err)
        )
    }
}
