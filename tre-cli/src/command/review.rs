//! `tre review`: what an output checker reads and decides.

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tre_core::ids::RequestId;
use tre_proto::v1;

use super::request::{MovedReport, RequestReport, listed};
use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Cell, Format, Grid, Published, Shown, View, published};
use crate::shell::Shell;
use crate::sql::Rewrite;

/// Read and decide on what analysts want to release
///
/// You see the frozen output, the query, the checker's record of every rule and treatment, who stands behind each cell, and
/// what the analyst could have asked instead. Every showing is logged. Nobody reviews their own
/// request, and until you have voted you do not see how others did.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ReviewArgs {
    #[command(subcommand)]
    command: ReviewCommand,
}

const EXAMPLES: &str = "\
Examples:
  tre review list
  tre review show req_mfrggzdfmztwq2lk
  tre review approve req_mfrggzdfmztwq2lk --comment 'counts are above the threshold'
  tre review return req_mfrggzdfmztwq2lk --comment 'say how this differs from Table 1'
  tre review reject req_mfrggzdfmztwq2lk --comment 'not what the permit is for'";

#[derive(Debug, Subcommand)]
enum ReviewCommand {
    /// List what waits for a reading
    List {
        /// Also what is over
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show a request with its output and the checker's record
    Show {
        /// The request
        id: RequestId,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Vote for the release
    Approve {
        /// The request
        id: RequestId,
        /// What you looked at
        #[arg(long, default_value = "", hide_default_value = true)]
        comment: String,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Send it back to its author for changes
    Return {
        /// The request
        id: RequestId,
        /// What the author should change
        #[arg(long)]
        comment: String,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Refuse it for good
    Reject {
        /// The request
        id: RequestId,
        /// Why
        #[arg(long)]
        comment: String,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
}

/// A request with everything that a reviewer reads.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReviewReport {
    /// The request.
    request: RequestReport,
    /// The frozen output, CSV.
    output: String,
    /// The SDC record: every rule and treatment, bound to the output by its hash.
    record: Value,
    /// Who stands behind the cells of each aggregation. It is untreated, and for reviewers alone.
    evidence: Vec<EvidenceTable>,
    /// What the analyst could have asked instead, tried on the same data.
    rewrites: Vec<TrialRow>,
}

/// Who stands behind the cells of one aggregation.
#[derive(Debug, Serialize, JsonSchema)]
struct EvidenceTable {
    /// Keys, values as counted, rows, people; CSV, the groups of the fewest people first, at most 200.
    csv: String,
    /// How many groups there are.
    groups: u64,
}

/// A rewrite that was tried.
#[derive(Debug, Serialize, JsonSchema)]
struct TrialRow {
    /// What to ask instead.
    rewrite: Rewrite,
    /// release, refer or withhold; failed: it could not be run.
    decision: String,
    /// Rows of its answer.
    rows: u64,
    /// Values that it would show.
    shown: u64,
    /// Values that it would not show.
    suppressed: u64,
}

impl From<v1::Trial> for TrialRow {
    fn from(trial: v1::Trial) -> Self {
        TrialRow {
            rewrite: trial.rewrite.unwrap_or_default().into(),
            decision: trial.decision,
            rows: trial.rows,
            shown: trial.shown,
            suppressed: trial.suppressed,
        }
    }
}

impl TrialRow {
    fn cells(&self) -> Vec<Cell> {
        let counts = [self.rows, self.shown, self.suppressed].map(Cell::number);
        [Cell::text(&self.rewrite.what), Cell::text(&self.decision)]
            .into_iter()
            .chain(counts)
            .collect()
    }
}

impl From<v1::Review> for ReviewReport {
    fn from(review: v1::Review) -> Self {
        ReviewReport {
            request: review.request.unwrap_or_default().into(),
            output: String::from_utf8_lossy(&review.output).into_owned(),
            record: serde_json::from_slice(&review.record_json).unwrap_or_default(),
            evidence: review
                .evidence
                .into_iter()
                .map(|table| EvidenceTable {
                    csv: table.csv,
                    groups: table.groups,
                })
                .collect(),
            rewrites: review.trials.into_iter().map(TrialRow::from).collect(),
        }
    }
}

impl Shown for ReviewReport {
    const KIND: &'static str = "review";

    fn view(&self) -> View {
        let mut view = self.request.view();
        view.grids
            .extend(csv_grid(&self.output).map(|grid| grid.titled("output")));
        view.grids.push(treatments(&self.record));
        for table in &self.evidence {
            let title = format!(
                "evidence, untreated, for reviewers alone: {} groups",
                table.groups
            );
            view.grids
                .extend(csv_grid(&table.csv).map(|grid| grid.titled(title)));
        }
        if !self.rewrites.is_empty() {
            let rows = self.rewrites.iter().map(TrialRow::cells).collect();
            let headings = ["rewrite", "decision", "rows", "shown", "suppressed"];
            view.grids
                .push(Grid::new(&headings, rows).titled("rewrites, tried on the same data"));
        }
        view
    }
}

/// What the checker did, value by value, from the record; the record itself, with all criteria, is in JSON.
fn treatments(record: &Value) -> Grid {
    let list = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let word = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut rows = Vec::new();
    for aggregation in list(record, "aggregations") {
        for value in list(&aggregation, "values") {
            for status in list(&value, "statuses") {
                rows.push(vec![
                    Cell::text(word(&value, "value")),
                    Cell::text(word(&status, "status")),
                    Cell::text(word(&status, "rule")),
                    Cell::number(status.get("cells").and_then(Value::as_u64).unwrap_or_default()),
                ]);
            }
        }
    }
    let policy = record
        .pointer("/policy/title")
        .and_then(Value::as_str)
        .unwrap_or("a policy without a title");
    Grid::new(&["value", "status", "rule", "cells"], rows).titled(format!("done under: {policy}"))
}

/// A CSV text as a grid; numbers flush right. `None` if it is not CSV.
fn csv_grid(text: &str) -> Option<Grid> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().ok()?.iter().map(str::to_owned).collect();
    let cell = |field: &str| match field {
        "" => Cell::Null,
        number if number.parse::<f64>().is_ok() => Cell::number(number),
        words => Cell::text(words),
    };
    let rows = reader
        .records()
        .map(|record| record.map(|record| record.iter().map(cell).collect()));
    Some(Grid {
        title: String::new(),
        headings,
        rows: rows.collect::<Result<_, _>>().ok()?,
    })
}

/// A vote by its name.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    Approve,
    Return,
    Reject,
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<ReviewReport>()]
}

/// Asks the server.
pub(crate) fn run(args: ReviewArgs, shell: &Shell) -> Outcome {
    block_on(async {
        match args.command {
            ReviewCommand::List { all, remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let answered = answer(control.list_reviews(v1::ListReviewsRequest { all }).await)?;
                shell.show(&listed(answered.requests), format.format)?;
            }
            ReviewCommand::Show { id, remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let review = answer(
                    control
                        .show_review(v1::ShowReviewRequest { id: id.to_string() })
                        .await,
                )?;
                shell.show(&ReviewReport::from(review), format.format)?;
            }
            ReviewCommand::Approve {
                id,
                comment,
                remote,
                format,
            } => {
                vote(Verdict::Approve, id, comment, &remote, format.format, shell).await?;
            }
            ReviewCommand::Return {
                id,
                comment,
                remote,
                format,
            } => {
                vote(Verdict::Return, id, comment, &remote, format.format, shell).await?;
            }
            ReviewCommand::Reject {
                id,
                comment,
                remote,
                format,
            } => {
                vote(Verdict::Reject, id, comment, &remote, format.format, shell).await?;
            }
        }
        Ok(Exit::Answered)
    })
}

async fn vote(
    verdict: Verdict,
    id: RequestId,
    comment: String,
    remote: &RemoteArgs,
    format: Format,
    shell: &Shell,
) -> Result<(), Failure> {
    let mut control = Remote::open(remote, shell).await?.control();
    let request = v1::VoteRequest {
        id: id.to_string(),
        comment,
    };
    let voted = match verdict {
        Verdict::Approve => control.approve_review(request).await,
        Verdict::Return => control.return_review(request).await,
        Verdict::Reject => control.reject_review(request).await,
    };
    shell.show(
        &MovedReport::from(answer(voted)?.request.unwrap_or_default()),
        format,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::printed;

    #[test]
    fn a_reviewer_sees_the_output_as_a_table_and_what_was_done_to_it() {
        let record = br#"{"policy":{"title":"Rules"},"aggregations":[{"values":[{"value":"count(*)","statuses":[
            {"status":"shown","rule":"none","cells":1},{"status":"suppressed","rule":"threshold","cells":1}]}]}]}"#;
        let review = v1::Review {
            request: None,
            output: b"sex,n\nF,120\nM,\n".to_vec(),
            record_json: record.to_vec(),
            evidence: vec![v1::Evidence {
                csv: "sex,people\nM,4\nF,120\n".to_owned(),
                groups: 2,
            }],
            trials: vec![v1::Trial {
                rewrite: Some(v1::Rewrite {
                    what: "leave out `sex`".to_owned(),
                    ..v1::Rewrite::default()
                }),
                decision: "release".to_owned(),
                rows: 1,
                shown: 1,
                suppressed: 0,
            }],
        };
        let text = printed(&ReviewReport::from(review), Format::Table);
        for expected in [
            "output\nsex  n\n",
            "done under: Rules",
            "count(*)  suppressed  threshold      1",
            "evidence, untreated, for reviewers alone: 2 groups\nsex  people\n",
            "leave out `sex`  release      1      1           0",
        ] {
            assert!(text.contains(expected), "{expected:?} in {text}");
        }
    }

    #[test]
    fn a_record_that_is_not_one_is_no_panic() {
        let review = v1::Review {
            request: None,
            output: Vec::new(),
            record_json: b"nonsense".to_vec(),
            ..v1::Review::default()
        };
        assert!(printed(&ReviewReport::from(review), Format::Table).contains("(none)"));
    }
}
