//! `tre check`: how a query would be judged, without its values. It is an output like any other, and logged as one.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tre_proto::v1;

use super::sql::TextArgs;
use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Outcome};
use crate::render::{Cell, Grid, Published, Shown, View, published};
use crate::shell::Shell;
use crate::sql::{Rewrite, helpful, rewrites_grid};

/// See how a query would be judged, without its values
///
/// Runs and judges the query as `tre sql` would and prints the decision, the reasons and how often each thing was done
/// to each column. It counts as an output and is logged as one; what earlier outputs said is not compared yet.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    text: TextArgs,

    /// Exit with 4 if any value would be suppressed
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    remote: RemoteArgs,

    #[command(flatten)]
    format: FormatArgs,
}

const EXAMPLES: &str = "\
Examples:
  tre check -c 'SELECT icd, count(*) AS n FROM visit GROUP BY icd'
  tre check -f query.sql --format json

Exit codes: 0 would be released, 3 would be referred to a person, 4 would be withheld.";

/// How a query was judged.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CheckReport {
    /// release, refer or withhold.
    pub(crate) decision: String,
    /// Why.
    reasons: Vec<ReasonRow>,
    /// What is said about the result as a whole.
    notices: Vec<String>,
    /// How often each thing was done to the values of each column.
    columns: Vec<TreatmentRow>,
    /// The policy that judged.
    policy: String,
    /// SHA-256 of its file.
    policy_sha256: String,
    /// The query's id in the audit log.
    query: String,
    /// What to ask instead, so that fewer values are suppressed or the question may be asked: the same whatever the data are.
    rewrites: Vec<Rewrite>,
}

/// Why an output was referred or withheld.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReasonRow {
    /// A stable code, see `tre explain`.
    pub(crate) code: String,
    /// What.
    pub(crate) what: String,
    /// What to do.
    pub(crate) hint: String,
}

impl From<v1::Reason> for ReasonRow {
    fn from(reason: v1::Reason) -> Self {
        ReasonRow {
            code: reason.code,
            what: reason.what,
            hint: reason.hint,
        }
    }
}

impl ReasonRow {
    /// Reasons as a grid.
    pub(crate) fn grid(reasons: &[ReasonRow]) -> Option<Grid> {
        let cells = |row: &ReasonRow| [&row.code, &row.what, &row.hint].map(Cell::text).into();
        let rows: Vec<Vec<Cell>> = reasons.iter().map(cells).collect();
        (!rows.is_empty()).then(|| Grid::new(&["code", "reason", "what to do"], rows).titled("reasons"))
    }
}

/// How many values of a column got one treatment.
#[derive(Debug, Serialize, JsonSchema)]
struct TreatmentRow {
    /// The output column.
    column: String,
    /// shown, suppressed, rounded, …
    status: String,
    /// By which rule.
    rule: String,
    /// How many values.
    values: u64,
}

impl TreatmentRow {
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.column),
            Cell::text(&self.status),
            Cell::text(&self.rule),
            Cell::number(self.values),
        ]
    }
}

impl From<v1::CheckReport> for CheckReport {
    fn from(report: v1::CheckReport) -> Self {
        let treatments = |column: v1::ColumnCheck| {
            let name = column.column;
            column.statuses.into_iter().map(move |count| TreatmentRow {
                column: name.clone(),
                status: count.status,
                rule: count.rule,
                values: count.values,
            })
        };
        CheckReport {
            decision: report.decision,
            reasons: report.reasons.into_iter().map(ReasonRow::from).collect(),
            notices: report.notices,
            columns: report.columns.into_iter().flat_map(treatments).collect(),
            policy: report.policy,
            policy_sha256: report.policy_sha256,
            query: report.query,
            rewrites: report.rewrites.into_iter().map(Rewrite::from).collect(),
        }
    }
}

impl CheckReport {
    fn suppresses(&self) -> bool {
        self.columns
            .iter()
            .any(|row| row.status == "suppressed" && row.values > 0)
    }

    /// Rewrites against what was done, or all of what is not released.
    fn helpful(&self) -> Vec<&Rewrite> {
        let suppressed = self
            .columns
            .iter()
            .filter(|row| row.status == "suppressed" && row.values > 0);
        let rules: Vec<String> = suppressed.map(|row| row.rule.clone()).collect();
        let shows_nothing = self.columns.iter().all(|row| row.values == 0);
        let is_released = self.decision == "release" && !shows_nothing;
        helpful(&self.rewrites, is_released.then_some(rules.as_slice()))
    }

    /// The exit code; a decision that this program does not know is no release.
    fn exit(&self, strict: bool) -> Exit {
        match self.decision.as_str() {
            "release" if strict && self.suppresses() => Exit::Withheld,
            "release" => Exit::Answered,
            "refer" => Exit::Referred,
            _withhold => Exit::Withheld,
        }
    }
}

impl Shown for CheckReport {
    const KIND: &'static str = "check";

    fn view(&self) -> View {
        let facts = vec![
            ("decision", self.decision.clone()),
            (
                "policy",
                format!("{} (sha256 {})", self.policy, self.policy_sha256),
            ),
            ("query", self.query.clone()),
        ];
        let rows = self.columns.iter().map(TreatmentRow::cells).collect();
        let columns = Grid::new(&["column", "status", "rule", "values"], rows).titled("what was done");
        View {
            facts,
            grids: std::iter::once(columns)
                .chain(ReasonRow::grid(&self.reasons))
                .chain(rewrites_grid(&self.helpful()))
                .collect(),
        }
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<CheckReport>()]
}

/// Asks the server.
pub(crate) fn run(args: &CheckArgs, shell: &Shell) -> Outcome {
    let sql = args.text.one()?;
    block_on(async {
        let mut control = Remote::open(&args.remote, shell).await?.control();
        let spinner = shell.spinner("judging");
        let checked = answer(control.check(v1::CheckRequest { sql }).await);
        spinner.finish_and_clear();
        let report = CheckReport::from(checked?);
        shell.show(&report, args.format.format)?;
        for notice in &report.notices {
            shell.notice(notice);
        }
        Ok(report.exit(args.strict))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(decision: &str, status: &str) -> CheckReport {
        let statuses = vec![v1::StatusCount {
            status: status.to_owned(),
            values: 2,
            ..v1::StatusCount::default()
        }];
        let columns = vec![v1::ColumnCheck {
            column: "n".to_owned(),
            statuses,
        }];
        CheckReport::from(v1::CheckReport {
            decision: decision.to_owned(),
            columns,
            ..v1::CheckReport::default()
        })
    }

    #[test]
    fn the_exit_code_is_the_decision() {
        assert_eq!(report("release", "suppressed").exit(false), Exit::Answered);
        assert_eq!(report("release", "suppressed").exit(true), Exit::Withheld);
        assert_eq!(report("release", "rounded").exit(true), Exit::Answered);
        assert_eq!(report("refer", "shown").exit(false), Exit::Referred);
        assert_eq!(report("withhold", "shown").exit(false), Exit::Withheld);
        assert_eq!(report("perhaps", "shown").exit(false), Exit::Withheld);
    }
}
