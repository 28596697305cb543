//! What an aggregate may read, and how refusals are said.

use tre_core::algebra::{AlgebraError, Expr, Origin, Relation};
use tre_core::codes::{self, Problem};
use tre_core::evidence::MAX_ARGUMENTS;
use tre_core::grant::{Grant, GrantedTable};
use tre_core::manifest::ColumnMeta;

use super::ArgumentLineage;

/// The stored column that an expression is, unchanged; `None` for anything computed.
pub(super) fn bare_column(expr: &Expr, relation: &Relation) -> Option<Origin> {
    if let Expr::Column(position) = expr {
        relation.columns.get(*position)?.origin
    } else {
        None
    }
}

/// A stored column by its origin.
pub(super) fn stored_column(origin: Origin, grant: &Grant) -> Option<(&GrantedTable, &ColumnMeta)> {
    let table = grant.tables.get(origin.table)?;
    Some((table, table.stored.get(origin.column)?))
}

/// An aggregate counts or sums a stored column as it is. A computed argument is a predicate in disguise: its NULLs
/// would have to be judged as the sides of that predicate.
pub(super) fn bare_argument(
    position: usize,
    relation: &Relation,
    grant: &Grant,
) -> Result<ArgumentLineage, Problem> {
    let column = relation.columns.get(position);
    let stored = column
        .and_then(|column| column.origin)
        .and_then(|origin| stored_column(origin, grant));
    match (column, stored) {
        (Some(_), Some((table, meta))) => Ok(ArgumentLineage {
            table: table.table.clone(),
            column: meta.name.clone(),
            // A public column labels; multiplied into people's rows it could spell one out.
            measure: meta.measure.is_some() && !table.public,
        }),
        (Some(column), None) => Err(Problem::new(
            &codes::SQL_MEASURE,
            format!(
                "`{}` is computed; aggregates take a stored column as it is",
                column.name
            ),
            "put the condition into WHERE or GROUP BY and aggregate a bare column",
        )),
        (None, _) => Err(algebra_problem(AlgebraError::NoSuchPosition(position))),
    }
}

/// Sums need declared bounds: they are what makes a contribution's size known.
pub(super) fn summable(argument: Option<&ArgumentLineage>) -> Result<(), Problem> {
    match argument {
        Some(argument) if argument.measure => Ok(()),
        Some(argument) => Err(Problem::of(
            &codes::SQL_MEASURE,
            format!(
                "`{}.{}` is not a declared measure and cannot be summed",
                argument.table, argument.column
            ),
        )),
        None => Err(Problem::of(&codes::SQL_MEASURE, "sum has no argument")),
    }
}

/// More columns aggregated than the evidence can keep apart.
pub(super) fn too_many_arguments() -> Problem {
    Problem::new(
        &codes::SQL_TOO_LARGE,
        format!("the query aggregates more than {MAX_ARGUMENTS} columns"),
        "send it as several queries",
    )
}

/// A frontier over public tables only.
pub(super) fn no_people() -> Problem {
    Problem::of(
        &codes::RUN_INTERNAL,
        "the aggregation reads no table about people",
    )
}

/// An algebra error in the words of the analyst.
pub(super) fn algebra_problem(error: AlgebraError) -> Problem {
    let code = match &error {
        AlgebraError::UnknownTable(_) | AlgebraError::UnknownColumn { .. } => &codes::SQL_UNKNOWN_NAME,
        AlgebraError::Type { .. } => &codes::SQL_NOT_ALLOWED,
        AlgebraError::Join(_) => &codes::SQL_JOIN,
        AlgebraError::TooLarge => &codes::SQL_TOO_LARGE,
        AlgebraError::NoSuchPosition(_) | AlgebraError::Frontier(_) => &codes::RUN_INTERNAL,
    };
    Problem::of(code, error.to_string())
}
