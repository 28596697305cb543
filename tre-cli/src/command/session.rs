//! `tre session`: who is working right now, and ending it.

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::ids::SessionId;
use tre_proto::v1;

use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Outcome};
use crate::render::{Cell, Published, listing, published};
use crate::shell::Shell;

/// List or end running sessions
///
/// A session is everything that arrives with one token, over however many connections. It has two jailed processes,
/// shown by `ps` as `tre desk SESSION` and `tre data SESSION`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SessionArgs {
    #[command(subcommand)]
    command: SessionCommand,
}

const EXAMPLES: &str = "\
Examples:
  tre session list
  tre session kill ses_mfrggzdfmztwq2lk       ends its queries and its processes at once";

#[derive(Debug, Subcommand)]
enum SessionCommand {
    /// List running sessions
    List {
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// End a session at once
    Kill {
        /// The session
        id: SessionId,
        #[command(flatten)]
        remote: RemoteArgs,
    },
}

listing!(
    /// Sessions.
    Sessions of SessionRow, "sessions",
    ["id", "project", "user", "state", "queries", "data_worker", "started", "last_call"]
);

/// One session.
#[derive(Debug, Serialize, JsonSchema)]
struct SessionRow {
    /// The session.
    id: String,
    /// Its project.
    project: String,
    /// Whose token it runs on.
    user: String,
    /// idle or querying.
    state: String,
    /// Queries so far.
    queries: u64,
    /// Whether it has a process with access to data.
    data_worker: bool,
    /// First call.
    started: String,
    /// Last call.
    last_call: String,
}

impl SessionRow {
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.id),
            Cell::text(&self.project),
            Cell::text(&self.user),
            Cell::text(&self.state),
            Cell::number(self.queries),
            Cell::text(self.data_worker),
            Cell::time(&self.started),
            Cell::time(&self.last_call),
        ]
    }
}

impl From<v1::Session> for SessionRow {
    fn from(session: v1::Session) -> Self {
        SessionRow {
            id: session.id,
            project: session.project,
            user: session.user,
            state: session.state,
            queries: session.queries,
            data_worker: session.data_worker,
            started: session.started,
            last_call: session.last_call,
        }
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<Sessions>()]
}

/// Asks the server.
pub(crate) fn run(args: SessionArgs, shell: &Shell) -> Outcome {
    block_on(async {
        match args.command {
            SessionCommand::List { remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let listed = answer(control.list_sessions(v1::ListSessionsRequest {}).await)?;
                let rows = listed.sessions.into_iter().map(SessionRow::from).collect();
                shell.show(&Sessions { rows }, format.format)?;
            }
            SessionCommand::Kill { id, remote } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                answer(
                    control
                        .kill_session(v1::KillSessionRequest { id: id.to_string() })
                        .await,
                )?;
                shell.note(&format!("ended {id}"));
            }
        }
        Ok(Exit::Answered)
    })
}
