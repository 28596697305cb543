//! `tre serve` on a free port.

use std::io::{BufRead, BufReader, PipeReader, pipe};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::home::{Home, Token};
use crate::person::Person;
use crate::program::Tre;
use crate::wait::{PATIENCE, until};

/// What stands before the address in the line that says that the server is ready.
const LISTENING: &str = "listening on ";

/// A running server. It is killed when this is dropped, and its workers with it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    url: String,
    printed: Arc<Mutex<String>>,
    tre: Tre,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub fn start(home: &Home) -> Result<Server> {
        match Server::attempt(home, &[])? {
            Ok(server) => Ok(server),
            Err((status, printed)) => bail!("the server ended before it listened ({status}):\n{printed}"),
        }
    }

    /// Starts a server with variables in its environment; the inner error is how it ended before it listened.
    pub fn attempt(
        home: &Home,
        environment: &[(&str, &str)],
    ) -> Result<Result<Server, (ExitStatus, String)>> {
        let mut tre = home.program().clone();
        if let Some(certificate) = home.certificate() {
            tre = tre.with("TRE_CA", certificate);
        }
        let (reader, writer) = pipe()?;
        let mut command = home.program().command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(environment.iter().copied()).stdin(Stdio::null());
        let child = command
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()
            .context("cannot start `tre serve`")?;
        // The command holds the pipe's other end; as long as it does the reading would not end.
        drop(command);
        let printed = follow(reader);
        let mut server = Server {
            child,
            url: String::new(),
            printed,
            tre,
        };
        let ready = until("a server that listens", PATIENCE, || {
            let address = server
                .printed()
                .lines()
                .find_map(|line| Some(line.split_once(LISTENING)?.1.trim().to_owned()));
            Ok(match (address, server.child.try_wait()?) {
                (Some(url), _) => Some(Ok(url)),
                (None, Some(status)) => Some(Err(status)),
                (None, None) => None,
            })
        })
        .with_context(|| format!("it printed:\n{}", server.printed()))?;
        match ready {
            Ok(url) => {
                ensure!(url.starts_with("grpc"), "the server listens on `{url}`");
                server.url = url;
                Ok(Ok(server))
            }
            Err(status) => Ok(Err((status, server.printed()))),
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn printed(&self) -> String {
        self.printed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Somebody who calls it with a token.
    pub fn person(&self, token: &Token) -> Person {
        self.anybody(&token.text)
    }

    /// Somebody who calls it with any text for a token.
    pub fn anybody(&self, token: &str) -> Person {
        Person::new(self.tre.with("TRE_URL", &self.url).with("TRE_TOKEN", token))
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to end, as a service manager would, and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        self.signal(Signal::SIGTERM)?;
        let status = until("the end of the server", PATIENCE, || Ok(self.child.try_wait()?))?;
        ensure!(
            status.success(),
            "the server ended with {status}:\n{}",
            self.printed()
        );
        Ok(())
    }

    /// `kill -9`, and waits until the process is gone.
    pub fn kill(mut self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.child.wait()?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?);
        kill(pid, signal).context("cannot signal the server")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Reads what the server prints, to its end, so that the pipe never fills.
fn follow(reader: PipeReader) -> Arc<Mutex<String>> {
    let printed = Arc::new(Mutex::new(String::new()));
    let written = Arc::clone(&printed);
    thread::spawn(move || {
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            let mut text = written.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(&line);
            text.push('\n');
        }
    });
    printed
}
