//! `tre serve`: the server.

use std::net::SocketAddr;

use clap::Args;

use crate::args::HomeArgs;
use crate::exit::{Failure, Outcome};
use crate::shell::Shell;

/// What stands before the address in the line that says that the server is ready.
pub(crate) const LISTENING: &str = "listening on ";

/// Run the server
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    home: HomeArgs,

    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
}

/// Serves.
pub(crate) fn run(_args: &ServeArgs, _shell: &Shell) -> Outcome {
    Err(Failure::not_yet("tre serve"))
}
