//! `tre review`: what an output checker reads and decides.

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::ids::RequestId;
use tre_proto::v1;

use super::request::{RequestReport, listed};
use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Cell, Format, Grid, Published, Shown, View, published};
use crate::shell::Shell;

/// Read and decide on what analysts want to release
///
/// You see the frozen output, the query and the checker's record of every rule and treatment. Nobody reviews their own
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
  tre review return req_mfrggzdfmztwq2lk --comment 'say how this differs from Table 1'";

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
    record: serde_json::Value,
}

impl From<v1::Review> for ReviewReport {
    fn from(review: v1::Review) -> Self {
        ReviewReport {
            request: review.request.unwrap_or_default().into(),
            output: String::from_utf8_lossy(&review.output).into_owned(),
            record: serde_json::from_slice(&review.record_json).unwrap_or_default(),
        }
    }
}

impl Shown for ReviewReport {
    const KIND: &'static str = "review";

    fn view(&self) -> View {
        let mut view = self.request.view();
        view.grids
            .extend(csv_grid(&self.output).map(|grid| grid.titled("output")));
        if let Some(lines) = leaves(&self.record) {
            view.grids.push(lines.titled("record"));
        }
        view
    }
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

/// The values of a JSON document under their paths.
fn leaves(record: &serde_json::Value) -> Option<Grid> {
    fn walk(path: &str, value: &serde_json::Value, rows: &mut Vec<Vec<Cell>>) {
        let below = |key: &str| {
            if path.is_empty() {
                key.to_owned()
            } else {
                format!("{path}.{key}")
            }
        };
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::Object(map) => {
                map.iter().for_each(|(key, value)| walk(&below(key), value, rows))
            }
            serde_json::Value::Array(values) => {
                let plain = values.iter().all(|value| !value.is_object() && !value.is_array());
                if plain {
                    let words = values.iter().map(leaf).collect::<Vec<_>>().join(", ");
                    rows.push(vec![Cell::text(path), Cell::text(words)]);
                } else {
                    values
                        .iter()
                        .enumerate()
                        .for_each(|(at, value)| walk(&below(&at.to_string()), value, rows));
                }
            }
            value @ (serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_)) => {
                rows.push(vec![Cell::text(path), Cell::text(leaf(value))]);
            }
        }
    }
    fn leaf(value: &serde_json::Value) -> String {
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }
    let mut rows = Vec::new();
    walk("", record, &mut rows);
    (!rows.is_empty()).then(|| Grid::new(&["field", "value"], rows))
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
    // The output was read before the vote; after it, the request's new state is what matters.
    shell.show(
        &RequestReport::from(answer(voted)?.request.unwrap_or_default()),
        format,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::printed;

    #[test]
    fn a_reviewer_sees_the_output_as_a_table_and_the_record_line_by_line() {
        let review = v1::Review {
            request: None,
            output: b"sex,n\nF,120\nM,\n".to_vec(),
            record_json: br#"{"policy":{"id":"ndb"},"reasons":["a","b"],"cells":[{"n":1}]}"#.to_vec(),
        };
        let text = printed(&ReviewReport::from(review), Format::Table);
        for expected in [
            "output\nsex  n\n",
            "policy.id  ndb",
            "reasons    a, b",
            "cells.0.n  1",
        ] {
            assert!(text.contains(expected), "{expected:?} in {text}");
        }
    }
}
