//! What an aggregate may read, and how refusals are said.

use tre_core::algebra::{AlgebraError, Argument, Expr, Origin, Quantity, Relation};
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

/// What is known of an argument. Only quantities may be summed: a computed value could mix one person's into many.
///
/// # Errors
/// A [`Problem`] when the argument names a column that there is not, or multiplies something else than quantities.
pub(super) fn argument(
    argument: &Argument,
    relation: &Relation,
    grant: &Grant,
) -> Result<ArgumentLineage, Problem> {
    let (mut names, mut measure) = (Vec::new(), true);
    for position in argument.quantity.columns() {
        let column = relation.columns.get(position);
        let column = column.ok_or_else(|| algebra_problem(AlgebraError::NoSuchPosition(position)))?;
        let stored = column.origin.and_then(|origin| stored_column(origin, grant));
        names.push(match stored {
            Some((table, meta)) => format!("{}.{}", table.table, meta.name),
            None => column.name.clone(),
        });
        measure &= column.quantity;
    }
    if matches!(argument.quantity, Quantity::Product(..)) && !measure {
        return Err(not_a_measure(&names.join(" * ")));
    }
    Ok(ArgumentLineage {
        measure: measure && !names.is_empty(),
        quantity: if names.is_empty() {
            "*".to_owned()
        } else {
            names.join(" * ")
        },
        conditional: argument.when.is_some(),
        product: matches!(argument.quantity, Quantity::Product(..)),
    })
}

/// Sums need declared bounds: they are what makes a contribution's size known.
pub(super) fn summable(argument: Option<&ArgumentLineage>) -> Result<(), Problem> {
    match argument {
        Some(argument) if argument.measure => Ok(()),
        Some(argument) => Err(not_a_measure(&argument.quantity)),
        None => Err(Problem::of(&codes::SQL_MEASURE, "sum has no argument")),
    }
}

fn not_a_measure(what: &str) -> Problem {
    Problem::of(
        &codes::SQL_MEASURE,
        format!("`{what}` is not a declared measure and cannot be summed"),
    )
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
