//! What to ask instead of what cannot be asked, where the query's own names say it: how many people have a value.

use datafusion::logical_expr::{Expr as SqlExpr, LogicalPlan};

use tre_core::codes::{self, Problem};
use tre_core::manifest::UNIT_COLUMN;

/// Most columns that are named in a hint.
const MOST: usize = 4;

/// The people who have these values.
pub(super) fn counted(columns: &[&str]) -> String {
    let columns = columns.join(", ");
    format!(
        "count the people who have each value: `SELECT {columns}, count(distinct pid) … GROUP BY {columns}`"
    )
}

/// A refusal of people's rows, with how many people have what the query lists. As it is where the query lists something else
/// than a few columns.
pub(super) fn of_rows(problem: Problem, plan: &LogicalPlan) -> Problem {
    if *problem.code != codes::SQL_ROWS {
        return problem;
    }
    match listed(plan).as_deref() {
        Some(columns) if (1..=MOST).contains(&columns.len()) => Problem {
            hint: counted(columns),
            ..problem
        },
        Some(_) | None => problem,
    }
}

/// The columns that a query lists as they are, the unit not among them.
fn listed(plan: &LogicalPlan) -> Option<Vec<&str>> {
    let projection = match plan {
        LogicalPlan::Projection(projection) => projection,
        LogicalPlan::Sort(sort) => return listed(&sort.input),
        LogicalPlan::Limit(limit) => return listed(&limit.input),
        _other => return None,
    };
    let columns = projection.expr.iter().map(|expr| match expr {
        SqlExpr::Column(column) => Some(column.name.as_str()),
        _computed => None,
    });
    let mut columns = columns.collect::<Option<Vec<&str>>>()?;
    columns.retain(|column| *column != UNIT_COLUMN);
    Some(columns)
}
