//! What the planner says of names that are not there, in words for the analyst: and what is there instead.
//!
//! Names of the project's tables and columns are no secret of those who may ask; the planner's own catalogue is.

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;

use output_checker::catalogue::withheld;
use tre_core::codes::{self, Problem};

use super::session::{CATALOG, PROJECT_SCHEMA, planning_problem};

/// Names in a hint, at most.
const SHOWN: usize = 30;

/// Why a statement could not be planned.
pub(super) fn unplanned(error: DataFusionError, state: &SessionState) -> Problem {
    let told = match error.find_root() {
        DataFusionError::SchemaError(schema, _) => column(schema),
        DataFusionError::Plan(text) => table(text, state)
            .or_else(|| function(text))
            .or_else(|| ungrouped(text)),
        _other => None,
    };
    told.unwrap_or_else(|| planning_problem(error))
}

fn column(error: &SchemaError) -> Option<Problem> {
    let SchemaError::FieldNotFound { field, valid_fields } = error else {
        return None;
    };
    let there = valid_fields.iter().map(short).collect();
    Some(Problem::new(
        &codes::SQL_UNKNOWN_NAME,
        format!("there is no column `{}` here", short(field)),
        format!("there is {}", listed(there)),
    ))
}

/// A column with its table's name alone.
fn short(column: &Column) -> String {
    match &column.relation {
        Some(relation) => format!("{}.{}", relation.table(), column.name),
        None => column.name.clone(),
    }
}

fn table(text: &str, state: &SessionState) -> Option<Problem> {
    let full = text.strip_prefix("table '")?.strip_suffix("' not found")?;
    let in_catalog = format!("{CATALOG}.");
    let in_project = format!("{PROJECT_SCHEMA}.");
    let name = full.strip_prefix(&in_catalog).unwrap_or(full);
    let name = name.strip_prefix(&in_project).unwrap_or(name);
    Some(Problem::new(
        &codes::SQL_UNKNOWN_NAME,
        format!("the project has no table `{name}`"),
        format!("there is {}", listed(tables(state))),
    ))
}

/// Every table by the shortest name that it can be written by.
fn tables(state: &SessionState) -> Vec<String> {
    let Some(catalog) = state.catalog_list().catalog(CATALOG) else {
        return Vec::new();
    };
    let of = |schema: &str| {
        catalog
            .schema(schema)
            .map(|schema| schema.table_names())
            .unwrap_or_default()
    };
    let mut names = of(PROJECT_SCHEMA);
    for dataset in catalog
        .schema_names()
        .into_iter()
        .filter(|name| name != PROJECT_SCHEMA)
    {
        let further: Vec<String> = of(&dataset)
            .into_iter()
            .filter(|table| !names.contains(table))
            .map(|table| format!("{dataset}.{table}"))
            .collect();
        names.extend(further);
    }
    names
}

fn function(text: &str) -> Option<Problem> {
    let name = text.strip_prefix("Invalid function '")?.split('\'').next()?;
    if let Some(why) = withheld(name) {
        return Some(Problem::new(
            &codes::SQL_AGGREGATE,
            format!("`{name}` is withheld: {why}"),
            "count people per value instead: `SELECT x, count(distinct pid) … GROUP BY x`; docs/aggregates.md lists what else there is",
        ));
    }
    Some(Problem::new(
        &codes::SQL_NOT_ALLOWED,
        format!("the function `{name}` is not offered"),
        "over people's rows there are count, sum, avg, min, max, var, stddev, covar_samp and corr; CASE, coalesce, nullif, lower, upper, trim, character_length, \
         substr, left, extract and date_trunc. Over the answer also round, abs, ln, sqrt and the like",
    ))
}

fn ungrouped(text: &str) -> Option<Problem> {
    let is_ungrouped = text.contains("must be in GROUP BY") || text.contains("must appear in the GROUP BY");
    // `…: While expanding wildcard, column "visit.sex" must appear in the GROUP BY clause or …`
    let name = text
        .split_once("column \"")
        .and_then(|(_, rest)| rest.split('"').next());
    is_ungrouped.then(|| {
        let what = match name {
            Some(name) => format!("`{name}` is neither in GROUP BY nor in an aggregate"),
            None => "a column is neither in GROUP BY nor in an aggregate".to_owned(),
        };
        Problem::new(
            &codes::SQL_NOT_ALLOWED,
            what,
            "add it to GROUP BY, or leave it out of the SELECT",
        )
    })
}

/// Sorted, each once, and not too many.
fn listed(mut names: Vec<String>) -> String {
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    let mut text = names.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    if text.is_empty() {
        text.push_str("nothing; see `tre schema`");
    }
    if more > 0 {
        text.push_str(&format!(" and {more} more, see `tre schema`"));
    }
    text
}
