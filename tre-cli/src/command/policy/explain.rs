//! `tre policy explain`: a policy rule by rule, with where its numbers are from and what was chosen where they are not.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::ids::PolicyId;
use tre_core::policy::Policy;

use super::shelf::ShelfArgs;
use crate::args::FormatArgs;
use crate::exit::{Exit, Outcome};
use crate::render::{Cell, Grid, Shown, View};
use crate::shell::Shell;

/// Arguments of `tre policy explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The policy
    id: PolicyId,
    #[command(flatten)]
    shelf: ShelfArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// A policy and where it comes from.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PolicyExplained {
    /// As permits name it.
    id: String,
    /// Its title.
    title: String,
    /// SHA-256 of its file.
    sha256: String,
    /// Date of the text that its numbers are from.
    date: String,
    /// What that text says, in short.
    says: String,
    /// Where it is.
    sources: Vec<String>,
    /// Its rules in plain words, in the order in which they are applied.
    rules: Vec<String>,
    /// What the source leaves open, each with what was chosen.
    open: Vec<String>,
}

impl From<Policy> for PolicyExplained {
    fn from(policy: Policy) -> Self {
        let source = &policy.rules().source;
        PolicyExplained {
            id: policy.id().to_string(),
            title: policy.title().to_owned(),
            sha256: policy.hash().to_owned(),
            date: source.date.to_string(),
            says: source.notes.clone(),
            sources: source.urls.clone(),
            rules: policy.in_plain_words(),
            open: source.open.clone(),
        }
    }
}

impl Shown for PolicyExplained {
    const KIND: &'static str = "policy-explained";

    fn view(&self) -> View {
        let facts = vec![
            ("policy", self.id.clone()),
            ("title", self.title.clone()),
            ("sha256", self.sha256.clone()),
            ("date", self.date.clone()),
            ("says", self.says.clone()),
        ];
        let lines = |title: &str, heading: &str, lines: &[String]| {
            let rows = lines.iter().map(|line| vec![Cell::text(line)]).collect();
            Grid::new(&[heading], rows).titled(title)
        };
        let grids = vec![
            lines("Rules", "rule", &self.rules),
            lines("Left open by the source, and chosen here", "choice", &self.open),
            lines("Sources", "source", &self.sources),
        ];
        View { facts, grids }
    }
}

/// Explains one policy.
pub(super) fn run(args: &ExplainArgs, shell: &Shell) -> Outcome {
    for policy in args.shelf.policies(Some(&args.id))? {
        shell.show(&PolicyExplained::from(policy), args.format.format)?;
    }
    Ok(Exit::Answered)
}
