//! Window functions over treated cells. They read nothing but treated values; what has to be right is what is said of
//! their results: a running sum over a suppressed value is suppressed, and so is a rank among values of which one is.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::scalar::ScalarValue;
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Expr as SqlExpr, LogicalPlan, Projection, Window, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition,
};

use tre_core::codes::Problem;

use super::session::planning_problem;
use super::upper::{Upper, above, no_subquery, unless_suppressed, worst};

/// Rebuilds a window node over its rebuilt input; `fresh` names status columns.
///
/// # Errors
/// A [`Problem`] when it holds something else than window functions.
pub(super) fn rebuild(
    window: &Window,
    input: Upper,
    mut fresh: impl FnMut() -> String,
) -> Result<Upper, Problem> {
    let schema = window.input.schema();
    let mut calls = window.window_expr.clone();
    let mut told = Vec::with_capacity(window.window_expr.len());
    for expr in &window.window_expr {
        no_subquery(expr)?;
        let call = call_of(expr)?;
        let status = match worst(expr, schema, &input.statuses)? {
            None => None,
            Some(status) => {
                let name = fresh();
                calls.push(worst_of_rows(call, status).alias(&name));
                Some(name)
            }
        };
        told.push(status);
    }
    let (mut exprs, mut statuses) = (Vec::new(), input.statuses.clone());
    let plan = Window::try_new(calls, Arc::new(input.plan)).map_err(planning_problem)?;
    let kept = schema.fields().len();
    for (position, (qualifier, field)) in window.schema.iter().enumerate() {
        let value = SqlExpr::Column(Column::from((qualifier, field)));
        let status = position.checked_sub(kept).and_then(|index| told.get(index));
        exprs.push(match status {
            Some(Some(name)) => {
                let status = SqlExpr::Column(Column::new_unqualified(name));
                unless_suppressed(status, value, field.data_type())?
                    .alias_qualified(qualifier.cloned(), field.name())
            }
            Some(None) | None => value,
        });
    }
    exprs.extend(input.statuses.into_iter().flatten().map(SqlExpr::Column));
    for name in told {
        statuses.push(name.map(|name| {
            let column = Column::new_unqualified(name);
            exprs.push(SqlExpr::Column(column.clone()));
            column
        }));
    }
    let plan = Projection::try_new(distinct(exprs), Arc::new(LogicalPlan::Window(plan)))
        .map_err(planning_problem)?;
    Ok(Upper {
        plan: LogicalPlan::Projection(plan),
        statuses,
    })
}

/// A status that several columns share is projected once.
fn distinct(exprs: Vec<SqlExpr>) -> Vec<SqlExpr> {
    let mut kept: Vec<SqlExpr> = Vec::with_capacity(exprs.len());
    for expr in exprs {
        if !kept.contains(&expr) {
            kept.push(expr);
        }
    }
    kept
}

fn call_of(expr: &SqlExpr) -> Result<&WindowFunction, Problem> {
    match expr {
        SqlExpr::Alias(alias) => call_of(&alias.expr),
        SqlExpr::WindowFunction(call) => Ok(call),
        _ => Err(above("this kind of window")),
    }
}

/// The worst status of the rows that a result is computed from: those of its frame where it is an aggregate, else all
/// rows of its partition, since their order decides.
fn worst_of_rows(call: &WindowFunction, status: SqlExpr) -> SqlExpr {
    let params = &call.params;
    let framed = matches!(call.fun, WindowFunctionDefinition::AggregateUDF(_));
    let window_frame = match framed {
        true => params.window_frame.clone(),
        false => WindowFrame::new_bounds(
            WindowFrameUnits::Rows,
            WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
            WindowFrameBound::Following(ScalarValue::UInt64(None)),
        ),
    };
    SqlExpr::WindowFunction(Box::new(WindowFunction {
        fun: WindowFunctionDefinition::AggregateUDF(max_udaf()),
        params: WindowFunctionParams {
            args: vec![status],
            partition_by: params.partition_by.clone(),
            // One node of the engine's holds windows of one order.
            order_by: params.order_by.clone(),
            window_frame,
            filter: None,
            null_treatment: None,
            distinct: false,
        },
    }))
}
