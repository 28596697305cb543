//! `tre demo`: the whole story in one command.

use clap::Args;

use crate::demo;
use crate::exit::Outcome;
use crate::shell::Shell;

/// Tell the whole story on simulated patients, offline, in a temporary home
///
/// For people who have never heard of a Trusted Research Environment. Data come in, a permit is put in force, an analyst
/// asks three questions, two other people read what she wants to publish, a file leaves with its record, and the audit
/// log is verified. Every step shows the command that you would type.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// Leave the home behind and say where it is
    #[arg(long)]
    keep: bool,
}

const EXAMPLES: &str = "\
Examples:
  tre demo
  tre demo --keep          then go on with the home, the permit and the data that it leaves behind";

/// Tells it.
pub(crate) fn run(args: &DemoArgs, shell: &Shell) -> Outcome {
    demo::tell(args.keep, shell)
}
