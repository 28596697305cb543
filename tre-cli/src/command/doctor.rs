//! `tre doctor`: is this machine fit, and is this home as it must be?

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use sandbox_runner::RunAs;
use tre_core::codes::Problem;
use tre_home::HomeFiles;

use crate::args::FormatArgs;
use crate::codes;
use crate::doctor::{self, CheckRow, State};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Published, listing, published};
use crate::shell::Shell;

/// Check this machine and a home directory
///
/// What the jail of a session can enforce here and by what; the clock; and, with --home, modes, lock, room on the disk,
/// certificate, every file of every version, the whole audit log, and the store if no server runs. Ends with 1 if a
/// check fails.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Also check this home
    #[arg(long, env = "TRE_HOME", value_name = "DIR")]
    home: Option<PathBuf>,

    #[command(flatten)]
    format: FormatArgs,
}

const EXAMPLES: &str = "\
Examples:
  tre doctor                                this machine
  tre doctor --home /srv/tre                this machine and a home
  tre doctor --home /srv/tre --format json";

listing!(
    /// Checks.
    pub(crate) Checks of CheckRow, "doctor", ["area", "check", "state", "found", "what to do"]
);

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<Checks>()]
}

/// Runs all checks.
pub(crate) fn run(args: &DoctorArgs, shell: &Shell) -> Outcome {
    #[expect(clippy::disallowed_methods, reason = "the clock is what is looked at")]
    let now = Timestamp::now();
    let files = args
        .home
        .as_deref()
        .map(HomeFiles::open)
        .transpose()
        .map_err(Problem::from)?;
    let jail = files
        .as_ref()
        .map(|files| files.config().jail.clone())
        .unwrap_or_default();
    let run_as = if nix::unistd::geteuid().is_root() {
        RunAs::new(jail.uid_base, jail.uid_base).ok()
    } else {
        None
    };

    let mut rows = doctor::machine(now, run_as, &jail.allow_missing);
    rows.extend(files.iter().flat_map(|files| doctor::home(files, now)));
    let failed = rows.iter().filter(|row| row.state == State::Fail).count();
    shell.show(&Checks { rows }, args.format.format)?;
    match failed {
        0 => Ok(Exit::Answered),
        1 => Err(Failure::of(&codes::CLI_CHECK_FAILED, "1 check failed")),
        n => Err(Failure::of(
            &codes::CLI_CHECK_FAILED,
            format!("{n} checks failed"),
        )),
    }
}
