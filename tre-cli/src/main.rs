//! The `tre` command: one program for data holders, operators, analysts, output checkers and auditors.
//!
//! A run is one straight line. The jail's launcher and the two workers, as which the server re-executes this program,
//! are recognised first, before anything else has happened in the process. Otherwise the raw arguments are parsed once
//! into what they mean ([`args`]), the environment and the terminal are looked at once ([`shell`]), and the chosen
//! subcommand ([`command`], one file each) runs to its exit code ([`exit`]).
//!
//! - `init`, `ingest`, `token` and `serve` work on a home directory; authority is access to its files.
//! - Everything else asks a server ([`connect`]): queries by Flight SQL as any other client would ([`sql`]), the rest by
//!   the control service. Nothing here decides anything: what may be done and what may leave, the server says.
//! - Results go to stdout in the format asked for ([`render`]); all else goes to stderr.
//! - [`demo`] tells the whole story on data inside the program, through the same code as the commands.

mod worker;

mod args;
mod shell;
mod usage;

mod command;
mod connect;
mod local;
mod shipped;
mod sql;

mod codes;
mod exit;
mod render;

mod demo;
mod doctor;

use std::process::ExitCode;

use crate::exit::Failure;
use crate::shell::Shell;

fn main() -> ExitCode {
    sandbox_runner::jail_main();
    if let Some(ended) = worker::main() {
        return ended;
    }
    let cli = usage::parse(std::env::args_os().collect()).unwrap_or_else(|error| error.exit());
    let shell = Shell::look();
    match command::run(cli.command, &shell) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if let Failure::Told(told) = &failure {
                shell.failed(told);
            }
            failure.exit().into()
        }
    }
}
