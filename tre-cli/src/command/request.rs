//! `tre request`: an analyst's wish for a release, from the query to the people who read it.

mod next;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::ids::RequestId;
use tre_proto::v1;

use super::check::ReasonRow;
use super::sql::TextArgs;
use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Cell, Grid, Published, Shown, View, listing, published, to_the_second};
use crate::shell::Shell;

use next::{is_open, left_out, next_step};

/// Ask for an output to be released, and follow it
///
/// `submit` runs the query, checks it and freezes the checked bytes. Where the permit asks for reviewers, that many
/// people other than you read them; then the file can be fetched with `tre release fetch`. Say in the context what the
/// output is, what it is for, and how it differs from what was released before: half of all returned requests lack it.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RequestArgs {
    #[command(subcommand)]
    command: RequestCommand,
}

const EXAMPLES: &str = "\
Examples:
  tre request submit -f table1.sql --title 'Table 1' --context 'Baseline of the cohort, new'
  tre request submit -f table1.sql --title 'Table 1' --context-file table1.md
  tre request list
  tre request show req_mfrggzdfmztwq2lk
  tre request withdraw req_mfrggzdfmztwq2lk";

#[derive(Debug, Subcommand)]
enum RequestCommand {
    /// Run a query and ask for its answer to be released
    Submit {
        #[command(flatten)]
        text: TextArgs,
        /// What the output is, in a few words
        #[arg(long)]
        title: String,
        /// What it shows, what it is for, how it relates to earlier releases
        #[arg(
            long,
            value_name = "TEXT",
            required_unless_present = "context_file",
            conflicts_with = "context_file"
        )]
        context: Option<String>,
        /// The same from a file
        #[arg(long, value_name = "FILE")]
        context_file: Option<PathBuf>,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// List your open requests
    List {
        /// Also those that are over
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show one request
    Show {
        /// The request
        id: RequestId,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Take a request back
    Withdraw {
        /// The request
        id: RequestId,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
}

listing!(
    /// Requests.
    pub(crate) Requests of RequestRow, "requests",
    ["id", "state", "author", "approvals", "decision", "rows", "created", "title"]
);

/// One request in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RequestRow {
    /// The request.
    pub(crate) id: String,
    /// The project.
    project: String,
    /// Who asks.
    author: String,
    /// What the output is.
    title: String,
    /// submitted, in-review, approved, released, returned, rejected, withdrawn or lapsed.
    pub(crate) state: String,
    /// The checker's own decision: release or refer.
    decision: String,
    /// People who have approved.
    approvals: u32,
    /// Distinct people needed.
    reviewers: u32,
    /// Rows of the output.
    rows: u64,
    /// When it was submitted.
    created: String,
    /// When its state last changed.
    changed: String,
    /// SHA-256 of the frozen bytes.
    sha256: String,
    /// The release, once released.
    pub(crate) release: Option<String>,
}

impl RequestRow {
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.id),
            Cell::text(&self.state),
            Cell::text(&self.author),
            Cell::text(self.progress()),
            Cell::text(&self.decision),
            Cell::number(self.rows),
            Cell::time(&self.created),
            Cell::text(&self.title),
        ]
    }

    fn progress(&self) -> String {
        format!("{} of {}", self.approvals, self.reviewers)
    }
}

/// One request in full.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RequestReport {
    #[serde(flatten)]
    pub(crate) summary: RequestRow,
    /// What it shows and what it is for, in the author's words.
    context: String,
    /// The query.
    sql: String,
    /// Why the checker referred it.
    reasons: Vec<ReasonRow>,
    /// Votes that the caller may see.
    votes: Vec<VoteRow>,
}

/// One reviewer's vote.
#[derive(Debug, Serialize, JsonSchema)]
struct VoteRow {
    /// Who.
    reviewer: String,
    /// approve, return or reject.
    verdict: String,
    /// In their words.
    comment: String,
    /// When.
    at: String,
}

impl From<v1::Request> for RequestRow {
    fn from(request: v1::Request) -> Self {
        RequestReport::from(request).summary
    }
}

impl From<v1::Request> for RequestReport {
    fn from(request: v1::Request) -> Self {
        let vote = |vote: v1::Vote| VoteRow {
            reviewer: vote.reviewer,
            verdict: vote.verdict,
            comment: vote.comment,
            at: vote.at,
        };
        RequestReport {
            summary: RequestRow {
                id: request.id,
                project: request.project,
                author: request.author,
                title: request.title,
                state: request.state,
                decision: request.decision,
                approvals: request.approvals,
                reviewers: request.reviewers,
                rows: request.rows,
                created: request.created,
                changed: request.changed,
                sha256: request.sha256,
                release: (!request.release.is_empty()).then_some(request.release),
            },
            context: request.context,
            sql: request.sql,
            reasons: request.reasons.into_iter().map(ReasonRow::from).collect(),
            votes: request.votes.into_iter().map(vote).collect(),
        }
    }
}

impl Shown for RequestReport {
    const KIND: &'static str = "request";

    fn view(&self) -> View {
        let summary = &self.summary;
        let mut facts = vec![
            ("request", summary.id.clone()),
            ("title", summary.title.clone()),
            ("state", summary.state.clone()),
            (
                "author",
                format!("{}, project {}", summary.author, summary.project),
            ),
            ("submitted", to_the_second(&summary.created)),
            ("approvals", summary.progress()),
            ("checker", summary.decision.clone()),
            (
                "output",
                format!("{} rows, sha256 {}", summary.rows, summary.sha256),
            ),
        ];
        facts.extend(summary.release.iter().map(|release| ("release", release.clone())));
        facts.push(("context", self.context.clone()));
        facts.push(("query", self.sql.clone()));
        View {
            facts,
            grids: ReasonRow::grid(&self.reasons)
                .into_iter()
                .chain(self.votes())
                .collect(),
        }
    }
}

impl RequestReport {
    /// The votes that the caller may see.
    fn votes(&self) -> Option<Grid> {
        let vote = |row: &VoteRow| {
            vec![
                Cell::text(&row.reviewer),
                Cell::text(&row.verdict),
                Cell::time(&row.at),
                Cell::text(&row.comment),
            ]
        };
        let votes: Vec<Vec<Cell>> = self.votes.iter().map(vote).collect();
        (!votes.is_empty())
            .then(|| Grid::new(&["reviewer", "verdict", "at", "comment"], votes).titled("votes"))
    }
}

/// A request after a change: what it is was read before; where it stands now is what matters.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MovedReport {
    #[serde(flatten)]
    request: RequestReport,
}

impl From<v1::Request> for MovedReport {
    fn from(request: v1::Request) -> Self {
        MovedReport {
            request: request.into(),
        }
    }
}

impl Shown for MovedReport {
    const KIND: &'static str = "moved-request";

    fn view(&self) -> View {
        let summary = &self.request.summary;
        let mut facts = vec![
            ("request", format!("{} ({})", summary.id, summary.title)),
            ("state", summary.state.clone()),
            ("approvals", summary.progress()),
        ];
        facts.extend(summary.release.iter().map(|release| ("release", release.clone())));
        View {
            facts,
            grids: self.request.votes().into_iter().collect(),
        }
    }
}

/// A list of requests, for authors and reviewers alike.
pub(crate) fn listed(requests: Vec<v1::Request>) -> Requests {
    Requests {
        rows: requests.into_iter().map(RequestRow::from).collect(),
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![
        published::<Requests>(),
        published::<RequestReport>(),
        published::<MovedReport>(),
    ]
}

/// Asks the server.
pub(crate) fn run(args: RequestArgs, shell: &Shell) -> Outcome {
    match args.command {
        RequestCommand::Submit {
            text,
            title,
            context,
            context_file,
            remote,
            format,
        } => {
            let sql = text.one()?;
            let context = match (context, context_file) {
                (Some(context), _) => context,
                (None, Some(path)) => {
                    std::fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?
                }
                (None, None) => String::new(),
            };
            block_on(async {
                let mut control = Remote::open(&remote, shell).await?.control();
                let spinner = shell.spinner("running, checking and freezing");
                let submitted = control
                    .submit_request(v1::SubmitRequestRequest { sql, title, context })
                    .await;
                spinner.finish_and_clear();
                let report = RequestReport::from(answer(submitted)?);
                shell.show(&report, format.format)?;
                shell.note(&next_step(&report.summary));
                Ok(Exit::Answered)
            })
        }
        RequestCommand::List { all, remote, format } => block_on(async {
            let mut control = Remote::open(&remote, shell).await?.control();
            let answered = answer(control.list_requests(v1::ListRequestsRequest { all: true }).await)?;
            let (open, over): (Vec<_>, Vec<_>) = answered
                .requests
                .into_iter()
                .partition(|request| all || is_open(&request.state));
            shell.show(&listed(open), format.format)?;
            if let Some(left_out) = left_out(&over) {
                shell.note(&left_out);
            }
            Ok(Exit::Answered)
        }),
        RequestCommand::Show { id, remote, format } => block_on(async {
            let mut control = Remote::open(&remote, shell).await?.control();
            let request = answer(
                control
                    .show_request(v1::ShowRequestRequest { id: id.to_string() })
                    .await,
            )?;
            let report = RequestReport::from(request);
            shell.show(&report, format.format)?;
            shell.note(&next_step(&report.summary));
            Ok(Exit::Answered)
        }),
        RequestCommand::Withdraw { id, remote, format } => block_on(async {
            let mut control = Remote::open(&remote, shell).await?.control();
            let request = answer(
                control
                    .withdraw_request(v1::WithdrawRequestRequest { id: id.to_string() })
                    .await,
            )?;
            shell.show(&MovedReport::from(request), format.format)?;
            Ok(Exit::Answered)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;
    use crate::render::tests::printed;

    #[test]
    fn hostile_words_of_an_author_stay_words() {
        let request = v1::Request {
            context: "fine\n\u{1b}]0;owned\u{7}".to_owned(),
            sql: "SELECT 1\nFROM t".to_owned(),
            ..v1::Request::default()
        };
        let text = printed(&RequestReport::from(request), Format::Table);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text}");
        assert!(
            text.contains("query      SELECT 1\n           FROM t\n"),
            "{text}"
        );
    }
}
