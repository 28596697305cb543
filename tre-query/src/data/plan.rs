//! A frontier as the engine's logical plan for any unit range.

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::LogicalPlan;

use tre_core::algebra::{Expr, Frontier, JoinKind, Node, type_of};

use super::coded;
use super::exprs::{column_name, positional};
use super::nodes::{Planner, UNIT, unqualified};
use super::table::GrantedFiles;

/// The rows of a frontier over a range: unit, keys `c0`…, arguments after them, sorted by unit.
///
/// # Errors
/// When the engine cannot plan it; `lineage` has excluded everything that depends on the analyst.
pub(super) fn frontier(frontier: &Frontier, tables: &[Arc<GrantedFiles>]) -> Result<LogicalPlan> {
    let input = Planner::new(tables).node(&frontier.input, &coded::by_frontier(frontier))?;
    let mut exprs = vec![unqualified(UNIT)];
    for (position, (_, key)) in frontier.keys.iter().enumerate() {
        let ty = type_of(key, &input.columns).map_err(|e| DataFusionError::Internal(e.to_string()))?;
        let value = positional(key, &input.columns)?;
        let value = match key {
            // As it is: text may be codes.
            Expr::Column(_) => value,
            _ => datafusion::logical_expr::cast(value, ty.arrow()),
        };
        exprs.push(value.alias(column_name(position)));
    }
    for (index, argument) in frontier.arguments.iter().enumerate() {
        let value = positional(&argument.expr(), &input.columns)?;
        exprs.push(value.alias(column_name(frontier.keys.len() + index)));
    }
    // A no-op where the order of the files has been kept; a sort where a join has lost it.
    input
        .plan
        .project(exprs)?
        .sort(vec![unqualified(UNIT).sort(true, false)])?
        .build()
}

/// The granted tables that a node scans.
pub(super) fn scans<'a>(
    node: &Node,
    tables: &'a [Arc<GrantedFiles>],
    found: &mut Vec<&'a Arc<GrantedFiles>>,
) {
    if let Node::Scan { dataset, table, .. } = node {
        found.extend(
            tables
                .iter()
                .find(|t| t.granted.version.dataset() == dataset && &t.granted.table == table),
        );
    }
    for input in node.inputs() {
        scans(input, tables, found);
    }
}

/// Whether a node can yield a row of a unit range, told from the numbers of rows in its files.
pub(super) fn can_yield(node: &Node, tables: &[Arc<GrantedFiles>], range: usize) -> bool {
    match node {
        Node::Scan { .. } => {
            let mut scanned = Vec::new();
            scans(node, tables, &mut scanned);
            scanned.first().is_some_and(|files| {
                files.granted.public || files.granted.files.get(range).is_some_and(|file| file.rows > 0)
            })
        }
        Node::JoinUnit {
            kind, left, right, ..
        }
        | Node::JoinPublic {
            kind, left, right, ..
        } => {
            can_yield(left, tables, range)
                && match kind {
                    JoinKind::Inner | JoinKind::Semi => can_yield(right, tables, range),
                    JoinKind::Left | JoinKind::Anti => true,
                }
        }
        Node::Union { inputs } => inputs.iter().any(|input| can_yield(input, tables, range)),
        Node::Filter { input, .. }
        | Node::Project { input, .. }
        | Node::PerUnit { input, .. }
        | Node::Number { input, .. } => can_yield(input, tables, range),
    }
}
