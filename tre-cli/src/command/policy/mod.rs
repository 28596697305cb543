//! `tre policy`: the rules under which outputs leave. `list` and `show` ask a server; `test` and `explain` read the policies
//! of a home, or those that this program ships.

mod explain;
mod shelf;
mod test;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::ids::PolicyId;
use tre_proto::v1;

use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Outcome};
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
  tre policy show ndb             the policy in plain words, then its file
  tre policy test                 the cases of all policies; needs no server
  tre policy test ndb --home /srv/tre
  tre policy explain ndb          where its numbers are from";

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
    /// Run the cases of a policy, or of all: what has to become of cells, and what becomes of them
    ///
    /// A case names people and values, and what has to become of them under the policy: a file of cases beside a policy
    /// says what its numbers mean. The home's are in policies/sdc/conformance; this program has some for each policy
    /// that it ships. Ends with 1 if one comes out otherwise.
    Test(test::TestArgs),
    /// Explain a policy: its rules, where its numbers are from, what was chosen where the source is silent
    Explain(explain::ExplainArgs),
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
    vec![
        published::<Policies>(),
        published::<PolicyReport>(),
        published::<test::PolicyTest>(),
        published::<explain::PolicyExplained>(),
    ]
}

/// Asks the server, or reads files.
pub(crate) fn run(args: PolicyArgs, shell: &Shell) -> Outcome {
    match args.command {
        PolicyCommand::List { remote, format } => block_on(list(remote, format, shell)),
        PolicyCommand::Show { id, remote, format } => block_on(show(id, remote, format, shell)),
        PolicyCommand::Test(args) => test::run(&args, shell),
        PolicyCommand::Explain(args) => explain::run(&args, shell),
    }
}

async fn list(remote: RemoteArgs, format: FormatArgs, shell: &Shell) -> Outcome {
    let mut control = Remote::open(&remote, shell).await?.control();
    let listed = answer(control.list_policies(v1::ListPoliciesRequest {}).await)?;
    let rows = listed.policies.into_iter().map(PolicyRow::from).collect();
    shell.show(&Policies { rows }, format.format)?;
    Ok(Exit::Answered)
}

async fn show(id: PolicyId, remote: RemoteArgs, format: FormatArgs, shell: &Shell) -> Outcome {
    let mut control = Remote::open(&remote, shell).await?.control();
    let request = v1::ShowPolicyRequest { id: id.to_string() };
    let policy = answer(control.show_policy(request).await)?;
    let report = PolicyReport {
        summary: policy.summary.unwrap_or_default().into(),
        words: policy.words,
        text: policy.text,
    };
    shell.show(&report, format.format)?;
    Ok(Exit::Answered)
}
