//! `tre policy`: the rules under which outputs leave.

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::ids::PolicyId;
use tre_proto::v1;

use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Cell, Published, Shown, View, listing, published};
use crate::shell::Shell;

/// Show the rules under which outputs leave
///
/// A policy is a TOML file in the home: thresholds, treatments, review rules, with the sources that they come from. A
/// permit names one for each exit, and its hash is pinned when the permit is applied.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

const EXAMPLES: &str = "\
Examples:
  tre policy list
  tre policy show ndb             the policy in plain words, then its file";

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// List policies
    List {
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show a policy in plain words and as it stands in its file
    Show {
        /// The policy
        id: PolicyId,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Test a policy on examples (not in this version)
    Test {
        /// Whatever it will take
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        rest: Vec<String>,
    },
    /// Explain a decision (not in this version)
    Explain {
        /// Whatever it will take
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        rest: Vec<String>,
    },
}

listing!(
    /// Policies.
    Policies of PolicyRow, "policies", ["id", "title", "sha256"]
);

/// One policy.
#[derive(Debug, Serialize, JsonSchema)]
struct PolicyRow {
    /// As permits name it.
    id: String,
    /// Its title.
    title: String,
    /// SHA-256 of its file.
    sha256: String,
}

impl PolicyRow {
    fn cells(&self) -> Vec<Cell> {
        [&self.id, &self.title, &self.sha256].map(Cell::text).into()
    }
}

impl From<v1::PolicySummary> for PolicyRow {
    fn from(policy: v1::PolicySummary) -> Self {
        PolicyRow {
            id: policy.id,
            title: policy.title,
            sha256: policy.sha256,
        }
    }
}

/// One policy in full.
#[derive(Debug, Serialize, JsonSchema)]
struct PolicyReport {
    #[serde(flatten)]
    summary: PolicyRow,
    /// In plain words.
    words: String,
    /// The file.
    text: String,
}

impl Shown for PolicyReport {
    const KIND: &'static str = "policy";

    fn view(&self) -> View {
        let facts = vec![
            ("policy", self.summary.id.clone()),
            ("title", self.summary.title.clone()),
            ("sha256", self.summary.sha256.clone()),
            ("in words", self.words.clone()),
            ("file", self.text.clone()),
        ];
        View {
            facts,
            grids: Vec::new(),
        }
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<Policies>(), published::<PolicyReport>()]
}

/// Asks the server.
pub(crate) fn run(args: PolicyArgs, shell: &Shell) -> Outcome {
    block_on(async {
        match args.command {
            PolicyCommand::List { remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let listed = answer(control.list_policies(v1::ListPoliciesRequest {}).await)?;
                let rows = listed.policies.into_iter().map(PolicyRow::from).collect();
                shell.show(&Policies { rows }, format.format)?;
            }
            PolicyCommand::Show { id, remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let policy = answer(
                    control
                        .show_policy(v1::ShowPolicyRequest { id: id.to_string() })
                        .await,
                )?;
                let summary = policy.summary.unwrap_or_default().into();
                shell.show(
                    &PolicyReport {
                        summary,
                        words: policy.words,
                        text: policy.text,
                    },
                    format.format,
                )?;
            }
            PolicyCommand::Test { .. } => return Err(Failure::not_yet("tre policy test")),
            PolicyCommand::Explain { .. } => return Err(Failure::not_yet("tre policy explain")),
        }
        Ok(Exit::Answered)
    })
}
