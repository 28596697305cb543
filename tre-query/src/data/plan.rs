//! Nodes of the algebra as the engine's logical plan for one unit range.
//!
//! Every node's output has the columns `u` (the unit; private nodes only) and `c0`, `c1`, … by position.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::{Column, JoinType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr as SqlExpr, LogicalPlan, LogicalPlanBuilder};

use tre_core::algebra::{self, Expr, Frontier, Node, type_of};
use tre_core::manifest::UNIT_COLUMN;

use super::exprs::{column_name, positional};
use super::table::{GrantedFiles, PermittedTable};

/// Name of the unit column in every private node.
const UNIT: &str = "u";

/// A planned node.
struct Planned {
    plan: LogicalPlanBuilder,
    private: bool,
    /// Types of `c0`, `c1`, …; names are of no importance here.
    columns: Vec<algebra::Column>,
}

/// The rows of a frontier over one range: unit, keys `c0`…, arguments after them, sorted by unit.
///
/// # Errors
/// When the engine cannot plan it; `lineage` has excluded everything that depends on the analyst.
pub(super) fn frontier(
    frontier: &Frontier,
    tables: &[Arc<GrantedFiles>],
    range: usize,
) -> Result<LogicalPlan> {
    let input = Planner {
        tables,
        range,
        aliases: 0,
    }
    .node(&frontier.input)?;
    let mut exprs = vec![unqualified(UNIT)];
    for (position, (_, key)) in frontier.keys.iter().enumerate() {
        let ty = type_of(key, &input.columns).map_err(|e| DataFusionError::Internal(e.to_string()))?;
        let key = datafusion::logical_expr::cast(positional(key, &input.columns)?, ty.arrow());
        exprs.push(key.alias(column_name(position)));
    }
    for (index, argument) in frontier.arguments().into_iter().enumerate() {
        exprs.push(unqualified(&column_name(argument)).alias(column_name(frontier.keys.len() + index)));
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
    match node {
        Node::Scan { dataset, table, .. } => found.extend(
            tables
                .iter()
                .find(|t| t.granted.version.dataset() == dataset && &t.granted.table == table),
        ),
        Node::Filter { input, .. } | Node::Project { input, .. } => scans(input, tables, found),
        Node::JoinUnit { left, right, .. } | Node::JoinPublic { left, right, .. } => {
            scans(left, tables, found);
            scans(right, tables, found);
        }
    }
}

fn unqualified(name: &str) -> SqlExpr {
    SqlExpr::Column(Column::new_unqualified(name))
}

struct Planner<'a> {
    tables: &'a [Arc<GrantedFiles>],
    range: usize,
    aliases: usize,
}

impl Planner<'_> {
    fn node(&mut self, node: &Node) -> Result<Planned> {
        match node {
            Node::Scan { .. } => self.scan(node),
            Node::Filter { input, predicate } => {
                let input = self.node(input)?;
                let predicate = positional(predicate, &input.columns)?;
                Ok(Planned {
                    plan: input.plan.filter(predicate)?,
                    ..input
                })
            }
            Node::Project { input, columns } => {
                let input = self.node(input)?;
                let mut exprs: Vec<SqlExpr> = input.private.then(|| unqualified(UNIT)).into_iter().collect();
                let mut projected = Vec::with_capacity(columns.len());
                for (position, (name, expr)) in columns.iter().enumerate() {
                    exprs.push(positional(expr, &input.columns)?.alias(column_name(position)));
                    projected.push(typed(name, expr, &input.columns)?);
                }
                Ok(Planned {
                    plan: input.plan.project(exprs)?,
                    private: input.private,
                    columns: projected,
                })
            }
            Node::JoinUnit { left, right, on } => self.join(left, right, on, true),
            Node::JoinPublic { left, right, on } => self.join(left, right, on, false),
        }
    }

    fn scan(&mut self, node: &Node) -> Result<Planned> {
        let mut found = Vec::new();
        scans(node, self.tables, &mut found);
        let (Node::Scan { columns, .. }, Some(files)) = (node, found.first()) else {
            return Err(DataFusionError::Internal(
                "a scan of a table that is not granted".to_owned(),
            ));
        };
        let private = !files.granted.public;
        let provider: Arc<dyn TableProvider> = Arc::new(PermittedTable::new(Arc::clone(files), self.range));
        let name = self.alias();
        let mut exprs: Vec<SqlExpr> = private
            .then(|| unqualified(UNIT_COLUMN).alias(UNIT))
            .into_iter()
            .collect();
        let mut output = Vec::with_capacity(columns.len());
        for (position, column) in columns.iter().enumerate() {
            let (_, meta) = files
                .granted
                .permitted(column)
                .ok_or_else(|| DataFusionError::Internal(format!("no permitted column `{column}`")))?;
            exprs.push(unqualified(column.as_str()).alias(column_name(position)));
            output.push(algebra::Column {
                name: column.to_string(),
                column_type: meta.column_type,
                origin: None,
            });
        }
        let plan = LogicalPlanBuilder::scan(name, provider_as_source(provider), None)?.project(exprs)?;
        Ok(Planned {
            plan,
            private,
            columns: output,
        })
    }

    fn join(&mut self, left: &Node, right: &Node, on: &[(usize, usize)], on_unit: bool) -> Result<Planned> {
        let (left, right) = (self.node(left)?, self.node(right)?);
        let (l, r) = (self.alias(), self.alias());
        let qualified = |table: &str, column: String| Column::new(Some(table), column);
        let mut keys: (Vec<Column>, Vec<Column>) = on
            .iter()
            .map(|(a, b)| (qualified(&l, column_name(*a)), qualified(&r, column_name(*b))))
            .unzip();
        if on_unit {
            keys.0.push(qualified(&l, UNIT.to_owned()));
            keys.1.push(qualified(&r, UNIT.to_owned()));
        }
        let joined = left.plan.alias(l.as_str())?.join(
            right.plan.alias(r.as_str())?.build()?,
            JoinType::Inner,
            keys,
            None,
        )?;
        let mut exprs = Vec::new();
        if left.private {
            exprs.push(SqlExpr::Column(qualified(&l, UNIT.to_owned())).alias(UNIT));
        }
        for position in 0..left.columns.len() {
            exprs.push(SqlExpr::Column(qualified(&l, column_name(position))).alias(column_name(position)));
        }
        for position in 0..right.columns.len() {
            let output = column_name(left.columns.len() + position);
            exprs.push(SqlExpr::Column(qualified(&r, column_name(position))).alias(output));
        }
        let mut columns = left.columns;
        columns.extend(right.columns);
        Ok(Planned {
            plan: joined.project(exprs)?,
            private: left.private,
            columns,
        })
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }
}

fn typed(name: &str, expr: &Expr, columns: &[algebra::Column]) -> Result<algebra::Column> {
    let column_type = type_of(expr, columns).map_err(|e| DataFusionError::Internal(e.to_string()))?;
    Ok(algebra::Column {
        name: name.to_owned(),
        column_type,
        origin: None,
    })
}
