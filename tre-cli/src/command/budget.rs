//! `tre budget`: reserved for differential privacy, which this version does not have.

use clap::{Args, Subcommand};

use crate::exit::{Failure, Outcome};

/// Show privacy budgets (not in this version)
#[derive(Debug, Args)]
pub(crate) struct BudgetArgs {
    #[command(subcommand)]
    command: BudgetCommand,
}

#[derive(Debug, Subcommand)]
enum BudgetCommand {
    /// Show what is left of a project's budget (not in this version)
    Show,
}

/// Says that there is none.
pub(crate) fn run(args: &BudgetArgs) -> Outcome {
    match args.command {
        BudgetCommand::Show => Err(Failure::not_yet("tre budget show")),
    }
}
