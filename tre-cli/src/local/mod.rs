//! Work on a home's files from the same machine: a running server is asked over its socket in the home; without one, the
//! home's lock is taken. Authority is access to those files, in both cases.

use tokio::runtime::Handle;
use tonic::transport::{Channel, Endpoint};
use tre_core::audit::{Actor, Event};
use tre_core::codes::{LOG_WRITE, Problem};
use tre_core::ids::InvalidName;
use tre_home::audit::{Position, Sink};
use tre_home::layout::Layout;
use tre_proto::v1;
use tre_proto::v1::local_client::LocalClient;

use crate::exit::Failure;

/// Asks whether a server works on this home; `None`: nobody answers.
pub(crate) async fn server(layout: &Layout) -> Option<LocalClient<Channel>> {
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
