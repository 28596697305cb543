//! What reviewers see beside an output: the evidence behind its cells, and what became of rewrites on the same data.
//!
//! Unlike all else here this is not treated. It is kept sealed, goes to reviewers of the request alone, and every showing of
//! it is an entry of the log.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{sort_to_indices, take_record_batch};
use arrow::error::ArrowError;
use output_checker::lineage::Lineage;
use output_checker::rewrites::{MOST, Proposal, Rewrite};
use output_checker::{Checked, Decision, LetOut, Summary};
use serde::{Deserialize, Serialize};
use tre_core::codes::Problem;
use tre_core::evidence::BaseCells;
use tre_core::policy::Policy;
use tre_core::status::Status;

use super::csv;
use super::prepare::{Prepared, lineage_under};
use super::run::{Judged, judge};
use crate::core::Core;
use crate::engine::Cancel;
use crate::sessions::Session;

/// Groups of one aggregation that reviewers see, those of the fewest people first.
const MOST_GROUPS: usize = 200;

/// What is kept for reviewers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Insight {
    /// One per aggregation over people.
    pub(crate) evidence: Vec<Evidence>,
    /// At most three; none where nothing was suppressed or referred.
    pub(crate) trials: Vec<Trial>,
}

/// What stands behind the cells of one aggregation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evidence {
    /// Keys, values as they were counted, and who stands behind them; the groups of the fewest people first.
    pub(crate) csv: String,
    /// How many groups there are.
    pub(crate) groups: u64,
}

/// A rewrite that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trial {
    pub(crate) rewrite: Rewrite,
    /// `release`, `refer`, `withhold`, or `failed` where it could not be run.
    pub(crate) decision: String,
    pub(crate) rows: u64,
    /// Values that would be shown, rounded ones among them.
    pub(crate) shown: u64,
    pub(crate) suppressed: u64,
}

/// Collects the evidence of what was judged, and tries rewrites where something was suppressed or referred.
///
/// # Errors
/// When cells cannot be written as text.
pub(super) async fn insight(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
    judged: &Judged,
    policy: &Policy,
    let_out: LetOut,
    cancel: &Arc<Cancel>,
) -> Result<Insight, Problem> {
    let parts = prepared.frontiers.iter().zip(&judged.cells).zip(&judged.checked);
    let evidence = parts
        .map(|(((_, lineage), cells), checked)| evidence(lineage, cells, checked))
        .collect::<Result<_, _>>()
        .map_err(|error| crate::projects::internal(error.to_string()))?;
    let mut trials = Vec::new();
    for proposal in prepared
        .proposals
        .iter()
        .filter(|one| may_help(one, judged))
        .take(MOST)
    {
        trials.push(tried(core, session, prepared, proposal, policy, let_out, cancel).await);
    }
    Ok(Insight { evidence, trials })
}

/// Whether a rewrite is against something that happened.
fn may_help(proposal: &Proposal, judged: &Judged) -> bool {
    let happened = |summary: &Summary| {
        let mut statuses = summary.values.iter().flat_map(|value| &value.statuses);
        summary.rows == 0
            || statuses.any(|count| {
                count.status == Status::Suppressed && proposal.rewrite.against.contains(&count.rule)
            })
    };
    judged.decision != Decision::Release || judged.checked.iter().any(|checked| happened(&checked.summary))
}

async fn tried(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
    proposal: &Proposal,
    policy: &Policy,
    let_out: LetOut,
    cancel: &Arc<Cancel>,
) -> Trial {
    let mut trial = Trial {
        rewrite: proposal.rewrite.clone(),
        decision: "failed".to_owned(),
        rows: 0,
        shown: 0,
        suppressed: 0,
    };
    let grant = &session.project.grant;
    let lineages = proposal.frontiers.iter().map(|frontier| {
        let lineage = lineage_under(frontier, grant, policy)?;
        Ok((frontier.clone(), lineage))
    });
    let Ok(frontiers) = lineages.collect::<Result<Vec<_>, Problem>>() else {
        return trial;
    };
    let changed = Prepared {
        frontiers,
        public_reads: vec![],
        proposals: vec![],
        ..prepared.clone()
    };
    // What fails here is in the log; the request goes its way without this trial.
    let Ok(judged) = judge(core, session, &changed, policy, let_out, cancel).await else {
        return trial;
    };
    trial.decision = judged.decision.word().to_owned();
    for summary in judged.checked.iter().map(|checked| &checked.summary) {
        trial.rows += summary.rows;
        for count in summary.values.iter().flat_map(|value| &value.statuses) {
            match count.status {
                Status::Suppressed => trial.suppressed += count.cells,
                Status::Shown | Status::Snapped | Status::Rounded | Status::Perturbed | Status::Noised => {
                    trial.shown += count.cells;
                }
            }
        }
    }
    trial
}

/// The table of a frontier's cells and of who stands behind them.
fn evidence(lineage: &Lineage, cells: &BaseCells, checked: &Checked) -> Result<Evidence, ArrowError> {
    let batch = cells.batch();
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    let mut column = |name: &str, heading: String| {
        if let Some(column) = batch.column_by_name(name) {
            columns.push((heading, Arc::clone(column)));
        }
    };
    for (i, key) in lineage.keys.iter().enumerate() {
        column(&format!("k{i}"), key.name.clone());
    }
    for (i, value) in checked.summary.values.iter().enumerate() {
        column(&format!("v{i}"), value.value.clone());
    }
    column("rows", "rows".to_owned());
    column("units", "people".to_owned());
    for (i, argument) in lineage.arguments.iter().enumerate() {
        let condition = if argument.conditional { " FILTER (…)" } else { "" };
        let of = format!("{}{condition}", argument.quantity);
        column(&format!("a{i}_present"), format!("people with {of}"));
        column(&format!("null_of_a{i}"), format!("people without {of}"));
        column(&format!("a{i}_top1"), format!("largest of one person: {of}"));
        column(&format!("a{i}_top2"), format!("second largest: {of}"));
    }
    // Two columns of one name are no batch; the later one says where it stands.
    let mut names: Vec<String> = Vec::new();
    let named = columns.into_iter().enumerate().map(|(at, (name, column))| {
        let name = if names.contains(&name) {
            format!("{name} ({at})")
        } else {
            name
        };
        names.push(name.clone());
        (name, column, true)
    });
    let table = RecordBatch::try_from_iter_with_nullable(named)?;
    let table = match batch.column_by_name("units") {
        Some(units) => take_record_batch(&table, &sort_to_indices(units, None, Some(MOST_GROUPS))?)?,
        None => table,
    };
    Ok(Evidence {
        csv: csv::text(&table.schema(), std::slice::from_ref(&table))?,
        groups: cells.len() as u64,
    })
}
