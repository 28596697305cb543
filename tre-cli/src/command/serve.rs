//! `tre serve`: the server.

use std::net::SocketAddr;

use clap::Args;
use tracing_subscriber::EnvFilter;
use tre_server::Options;

use super::block_on;
use crate::args::{HomeArgs, address};
use crate::exit::{Exit, Failure, Outcome};
use crate::local;
use crate::shell::Shell;

/// What stands before the address in the line that says that the server is ready.
pub(crate) const LISTENING: &str = "listening on ";

/// Run the server
///
/// Serves Flight SQL and the control service on one port until SIGTERM or Ctrl-C; then sessions end and the log is brought
/// to rest. With certificates in tre.toml it speaks TLS; without, plaintext on loopback only. It says on stderr when it
/// listens, and logs there (RUST_LOG chooses what).
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    home: HomeArgs,

    /// Where to listen, instead of where tre.toml says; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,

    /// Where to show web pages (not in this version)
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    web: Option<SocketAddr>,
}

const EXAMPLES: &str = "\
Examples:
  tre serve --home /srv/tre
  tre serve --home /srv/tre --listen 127.0.0.1:50052        this machine only
  tre serve --home /srv/tre --listen 0.0.0.0:50051          every network; needs a certificate in tre.toml
  RUST_LOG=tre_server=debug tre serve --home /srv/tre";

/// Serves.
pub(crate) fn run(args: &ServeArgs, shell: &Shell) -> Outcome {
    if args.web.is_some() {
        return Err(Failure::not_yet("tre serve --web"));
    }
    // A command that works on the home for a moment must not keep a server from starting.
    let home = block_on(local::hold(&args.home.home, "tre serve", shell))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(shell.colour)
        .with_writer(std::io::stderr)
        .init();
    let options = Options {
        listen: args.listen,
        ..Options::default()
    };
    tre_server::serve(home, options, |address, is_tls| {
        let scheme = if is_tls { "grpc+tls" } else { "grpc" };
        shell.note(&format!("{LISTENING}{scheme}://{address}"));
    })?;
    shell.note("stopped");
    Ok(Exit::Answered)
}
