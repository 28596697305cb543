//! Work on a home's files from the same machine: a running server is asked over its socket in the home; without one, the
//! home's lock is taken. Authority is access to those files, in both cases.

use std::path::Path;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tre_core::audit::{Actor, Event};
use tre_core::codes::{HOME_LOCKED, LOG_WRITE, Problem};
use tre_core::ids::InvalidName;
use tre_home::Home;
use tre_home::audit::{Position, Sink};
use tre_home::layout::Layout;
use tre_proto::v1;
use tre_proto::v1::local_client::LocalClient;

use crate::exit::Failure;
use crate::shell::Shell;

/// How long a home that somebody else holds is waited for: a server starts, and most commands end, sooner than that.
const PATIENCE: Duration = Duration::from_secs(10);
/// After this long the person is told what is waited for.
const SILENCE: Duration = Duration::from_secs(1);
/// Between two looks at the lock and the socket.
const PAUSE: Duration = Duration::from_millis(50);

/// Who works on a home while a command does.
#[derive(Debug)]
pub(crate) enum Access {
    /// A server; it is asked.
    Server(LocalClient<Channel>),
    /// This process itself, which holds the lock.
    Own(Box<Home>),
}

/// A running server, or else the home under its lock. `purpose` tells others what this process does.
///
/// A server that starts holds the lock before its socket is there, and a command holds the lock for a moment: whoever holds
/// it is waited for, on stderr after a second.
///
/// # Errors
/// `TRE-HOME-004` when the same process has held the home for ten seconds and no server answers; others as [`Home::open`].
pub(crate) async fn access(root: &Path, purpose: &str, shell: &Shell) -> Result<Access, Failure> {
    let layout = Layout::new(root);
    let mut waiting = Waiting::begin(shell);
    loop {
        if let Some(server) = server(&layout).await {
            return Ok(Access::Server(server));
        }
        match Home::open(root, purpose).map_err(Problem::from) {
            Ok(home) => return Ok(Access::Own(Box::new(home))),
            Err(problem) => waiting.or_give_up(problem).await?,
        }
    }
}

/// The home under its lock, for a process that is to serve it.
///
/// # Errors
/// `TRE-HOME-004` at once when a server answers already, else after ten seconds; others as [`Home::open`].
pub(crate) async fn hold(root: &Path, purpose: &str, shell: &Shell) -> Result<Home, Failure> {
    let layout = Layout::new(root);
    let mut waiting = Waiting::begin(shell);
    loop {
        let problem = match Home::open(root, purpose).map_err(Problem::from) {
            Ok(home) => return Ok(home),
            Err(problem) => problem,
        };
        if problem.code == &HOME_LOCKED && server(&layout).await.is_some() {
            return Err(problem.into());
        }
        waiting.or_give_up(problem).await?;
    }
}

/// Waiting for whoever holds the home.
struct Waiting<'s> {
    shell: &'s Shell,
    begun: Instant,
    told: bool,
}

impl<'s> Waiting<'s> {
    fn begin(shell: &'s Shell) -> Self {
        Waiting {
            shell,
            begun: Instant::now(),
            told: false,
        }
    }

    /// Pauses before the next look, unless the problem is another one than the lock or it has been waited long enough.
    async fn or_give_up(&mut self, problem: Problem) -> Result<(), Problem> {
        let waited = self.begun.elapsed();
        if problem.code != &HOME_LOCKED || waited >= PATIENCE {
            return Err(problem);
        }
        if waited >= SILENCE && !self.told {
            self.shell.note(&format!("waiting: {}", problem.what));
            self.told = true;
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

/// Asks whether a server works on this home; `None`: nobody answers.
async fn server(layout: &Layout) -> Option<LocalClient<Channel>> {
    let socket = std::path::absolute(layout.control_socket()).ok()?;
    if !socket.exists() {
        return None;
    }
    let endpoint = Endpoint::from_shared(format!("unix://{}", socket.to_str()?)).ok()?;
    // A socket file outlives a server that was killed: then nobody listens, and the lock is free.
    let channel = endpoint.connect().await.ok()?;
    let mut client = LocalClient::new(channel);
    client.ping(v1::PingRequest {}).await.ok()?;
    Some(client)
}

/// The log of a running server, for code that is not async.
pub(crate) struct ServerSink {
    server: LocalClient<Channel>,
    runtime: Handle,
}

impl ServerSink {
    /// Entries go to this server.
    pub(crate) fn new(server: LocalClient<Channel>, runtime: Handle) -> Self {
        ServerSink { server, runtime }
    }
}

impl Sink for ServerSink {
    fn record(&self, event: Event) -> Result<Position, Problem> {
        let failed =
            |what: String| Problem::of(&LOG_WRITE, format!("the server did not log the entry: {what}"));
        let event_json = serde_json::to_vec(&event).map_err(|error| failed(error.to_string()))?;
        let mut server = self.server.clone();
        let appended = self
            .runtime
            .block_on(server.append_entry(v1::AppendEntryRequest { event_json }));
        let appended = appended.map_err(|status| failed(status.message().to_owned()))?;
        Ok(Position(appended.into_inner().position))
    }
}

/// The user of the operating system that this process runs as, `local:NAME` in the audit log.
pub(crate) fn actor() -> Result<Actor, Failure> {
    let uid = nix::unistd::getuid();
    let known = nix::unistd::User::from_uid(uid).ok().flatten();
    // A name that the log cannot hold, or no name at all: the number.
    let name = known.and_then(|user| format!("local:{}", user.name).parse().ok());
    let user = match name {
        Some(name) => name,
        None => format!("local:{uid}")
            .parse()
            .map_err(|error: InvalidName| Failure::usage(error.to_string(), ""))?,
    };
    Ok(Actor::user(user))
}
