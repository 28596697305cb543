//! Where the story plays: a temporary directory, a server process, the people's tokens, and this program run again and
//! again as a user would run it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use super::narrator::{Narrator, WIDTH};
use crate::codes;
use crate::command::serve::LISTENING;
use crate::exit::{Exit, Failure};
use crate::shell::Shell;

/// The program that is running, for every step.
const PROGRAM: &str = "/proc/self/exe";

/// How long the server may take to listen.
const SERVER_WITHIN: Duration = Duration::from_secs(20);

/// Everything that has to be put away at the end.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) narrator: Narrator,
    dir: TempDir,
    keep: bool,
    server: Option<Server>,
    url: String,
    tokens: BTreeMap<String, String>,
    interrupted: Arc<AtomicBool>,
    began: Instant,
}

/// What a step printed.
#[derive(Debug)]
pub(super) struct Printed {
    pub(super) out: String,
    pub(super) err: String,
}

#[derive(Debug)]
struct Server {
    child: Child,
}

impl Stage {
    /// Makes the directory and listens for Ctrl-C, so that nothing is left behind then either.
    pub(super) fn set(keep: bool, shell: &Shell) -> Result<Self, Failure> {
        let made = tempfile::Builder::new().prefix("tre-demo-").tempdir();
        let dir =
            made.map_err(|error| Failure::file("make a directory in", &std::env::temp_dir(), &error))?;
        Ok(Stage {
            narrator: Narrator::new(shell.colour && std::io::stdout().is_terminal()),
            dir,
            keep,
            server: None,
            url: String::new(),
            tokens: BTreeMap::new(),
            interrupted: interruptions(),
            began: Instant::now(),
        })
    }

    /// A path in the temporary directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that a user would have brought along.
    pub(super) fn bring(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| Failure::file("make", parent, &error))?;
        }
        fs::write(&path, content).map_err(|error| Failure::file("write", &path, &error))
    }

    /// Gives a person the token with which they act from now on.
    pub(super) fn give(&mut self, who: &str, token: &str) {
        self.tokens.insert(who.to_owned(), token.trim().to_owned());
    }

    /// Shows a command, runs it, shows what it printed, and insists that it ends as the script says.
    pub(super) fn play(&mut self, who: &str, words: &[&str], expected: Exit) -> Result<Printed, Failure> {
        self.announce(who, words)?;
        let printed = self.run(who, words, expected)?;
        self.narrator.output(&printed.out)?;
        self.narrator.output(&printed.err)?;
        Ok(printed)
    }

    /// Shows a command line.
    pub(super) fn announce(&mut self, who: &str, words: &[&str]) -> Result<(), Failure> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        self.narrator.command(who, &words)
    }

    /// Runs a command without a word about it.
    pub(super) fn run(&mut self, who: &str, words: &[&str], expected: Exit) -> Result<Printed, Failure> {
        if self.interrupted.load(Ordering::SeqCst) {
            return Err(Failure::Interrupted);
        }
        let cannot = |error: &std::io::Error| Failure::file("start", Path::new(PROGRAM), error);
        let mut command = self.command(words);
        if let Some(token) = self.tokens.get(who) {
            command.env("TRE_TOKEN", token);
        }
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| cannot(&error))?;
        let printed = Printed {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        if output.status.code() == Some(i32::from(expected.number())) {
            return Ok(printed);
        }
        self.narrator.output(&printed.out)?;
        self.narrator.output(&printed.err)?;
        Err(unexpected(words, output.status, expected))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(words.iter().skip(1))
            .current_dir(self.dir.path())
            .env("TRE_HOME", self.path("home"))
            .env("TRE_URL", &self.url)
            .env("COLUMNS", (WIDTH - 4).to_string())
            .env("NO_COLOR", "1")
            .env_remove("TRE_TOKEN")
            .env_remove("TRE_CA");
        if self.url.is_empty() {
            command.env_remove("TRE_URL");
        }
        command
    }

    /// Starts the server and waits until it listens.
    pub(super) fn open(&mut self, who: &str) -> Result<(), Failure> {
        let words = ["tre", "serve", "--listen", "127.0.0.1:0"];
        self.announce(who, &["tre", "serve", "--listen", "127.0.0.1:0", "&"])?;
        let log = self.path("server.log");
        let mut log_file = fs::File::create(&log).map_err(|error| Failure::file("write", &log, &error))?;
        let started = self
            .command(&words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = started.map_err(|error| Failure::file("start", Path::new(PROGRAM), &error))?;
        let (said, hears) = mpsc::channel();
        if let Some(stderr) = child.stderr.take() {
            // Follows the server's words to its end, so that its pipe never fills.
            thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let _logged = writeln!(log_file, "{line}");
                    if let Some((_, url)) = line.split_once(LISTENING) {
                        let _heard = said.send(url.trim().to_owned());
                    }
                }
            });
        }
        self.server = Some(Server { child });
        self.url = hears.recv_timeout(SERVER_WITHIN).map_err(|error| {
            let why = match error {
                RecvTimeoutError::Timeout => "did not listen in time",
                RecvTimeoutError::Disconnected => "ended before it listened",
            };
            let last = fs::read_to_string(&log).unwrap_or_default();
            Failure::of(
                &codes::CLI_DEMO,
                format!(
                    "the server {why}: {}",
                    last.lines().last().unwrap_or("it said nothing")
                ),
            )
        })?;
        let line = format!("{LISTENING}{}", self.url);
        self.narrator.output(&line)
    }

    /// Ends the server as Ctrl-C would.
    pub(super) fn close(&mut self) {
        self.server = None;
    }

    /// Whatever failed after Ctrl-C failed because of it: the person has seen enough.
    pub(super) fn or_interrupted(&self, told: Result<(), Failure>) -> Result<(), Failure> {
        match told {
            Err(_) if self.interrupted.load(Ordering::SeqCst) => Err(Failure::Interrupted),
            told => told,
        }
    }

    /// Puts everything away, or says where it is.
    pub(super) fn strike(mut self, whole: bool) -> Result<(), Failure> {
        self.close();
        let seconds = self.began.elapsed().as_secs_f32();
        if self.keep {
            let kept = self.dir.keep();
            let home = kept.join("home");
            self.narrator
                .say(&format!("Kept: {} (home, files, server.log).", kept.display()))?;
            return self
                .narrator
                .say(&format!("Go on with: tre serve --home {}", home.display()));
        }
        if whole {
            self.narrator.say(&format!(
                "That was everything, in {seconds:.1} seconds. The temporary home is deleted; `tre demo --keep` keeps it."
            ))?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It stops its sessions' workers itself; they would die with it anyway.
        let asked = i32::try_from(self.child.id()).map(|pid| kill(Pid::from_raw(pid), Signal::SIGTERM));
        if !matches!(asked, Ok(Ok(()))) {
            let _killed = self.child.kill();
        }
        let _ended = self.child.wait();
    }
}

fn unexpected(words: &[&str], status: ExitStatus, expected: Exit) -> Failure {
    let ended = status
        .code()
        .map_or("by a signal".to_owned(), |code| format!("with exit code {code}"));
    let command: Vec<&str> = words.iter().take(3).copied().collect();
    let what = format!(
        "`{}` ended {ended}, not with {}",
        command.join(" "),
        expected.number()
    );
    Failure::of(&codes::CLI_DEMO, what)
}

/// Set by Ctrl-C and SIGTERM. The story then ends at the step that it is at, and everything is put away.
fn interruptions() -> Arc<AtomicBool> {
    let pressed = Arc::new(AtomicBool::new(false));
    let sets = Arc::clone(&pressed);
    thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async {
            let Ok(mut terminated) = signal(SignalKind::terminate()) else {
                return;
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            sets.store(true, Ordering::SeqCst);
        });
    });
    pressed
}
