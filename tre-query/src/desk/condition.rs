//! A permit's row condition as an expression of the algebra.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::common::DFSchema;
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr as SqlExpr;

use tre_core::algebra::{self, Expr, type_of};
use tre_core::codes::{self, Problem};
use tre_core::manifest::ColumnMeta;
use tre_core::types::ColumnType;

use super::exprs::{Scope, Slot};

/// Lowers a condition over the stored columns of one table.
///
/// # Errors
/// A [`Problem`] when it is not a Boolean expression over these columns that the algebra can say.
pub(super) fn lower(state: &SessionState, text: &str, columns: &[ColumnMeta]) -> Result<Expr, Problem> {
    super::gate::admit_condition(text)?;
    let fields = columns
        .iter()
        .map(|c| Field::new(c.name.as_str(), c.column_type.arrow(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let schema = DFSchema::try_from(schema).map_err(super::session::planning_problem)?;
    let expr = state
        .create_logical_expr(text, &schema)
        .map_err(super::session::planning_problem)?;
    let expr = coerced(state, expr, &schema)?;
    let slots: Vec<Slot> = (0..columns.len()).map(Slot::Column).collect();
    let lowered = Scope {
        schema: &schema,
        slots: &slots,
    }
    .lower(&expr)?;
    let types: Vec<_> = columns
        .iter()
        .map(|c| algebra::Column::computed(c.name.to_string(), c.column_type))
        .collect();
    match type_of(&lowered, &types) {
        Ok(ColumnType::Bool) => Ok(lowered),
        Ok(other) => Err(Problem::new(
            &codes::SQL_NOT_ALLOWED,
            format!("the row condition `{text}` is a {other}, not a condition"),
            "write a comparison, e.g. `age >= 40`",
        )),
        Err(error) => Err(Problem::of(&codes::SQL_NOT_ALLOWED, error.to_string())),
    }
}

/// Type coercion and constant folding of a single expression.
fn coerced(state: &SessionState, expr: SqlExpr, schema: &DFSchema) -> Result<SqlExpr, Problem> {
    use datafusion::logical_expr::simplify::SimplifyContext;
    use datafusion::optimizer::simplify_expressions::ExprSimplifier;
    let context = SimplifyContext::builder()
        .with_schema(Arc::new(schema.clone()))
        .with_config_options(Arc::clone(state.config_options()))
        .build();
    let simplifier = ExprSimplifier::new(context);
    simplifier
        .coerce(expr, schema)
        .and_then(|expr| simplifier.simplify(expr))
        .map_err(super::session::planning_problem)
}
