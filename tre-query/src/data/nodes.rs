//! Nodes of the algebra as the engine's logical plan for any unit range.
//!
//! Every node's output has the columns `u` (the unit; private nodes only) and `c0`, `c1`, … by position. The unit is a key
//! of every join, aggregation and window over people's rows.
//!
//! The engine keeps the left side of a join with a public table in memory, and the order of the right one: the public
//! side stands there on the left. Joins on the unit are merged, led by their left side; of two inner sides, the longer leads.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::{Column, JoinType};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, max, min, sum};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Expr as SqlExpr, ExprFunctionExt, LogicalPlanBuilder, SortExpr, cast, lit, try_cast,
};

use tre_core::algebra::{self, Expr, JoinKind, Node, Ordering, UnitCall, type_of};
use tre_core::manifest::UNIT_COLUMN;
use tre_core::types::{ColumnType, DECIMAL_PRECISION};

use super::coded::{self, Needed};
use super::exprs::{column_name, over, positional};
use super::plan::scans;
use super::table::{GrantedFiles, PermittedTable};

/// Name of the unit column in every private node.
pub(super) const UNIT: &str = "u";

/// A planned node.
pub(super) struct Planned {
    pub(super) plan: LogicalPlanBuilder,
    private: bool,
    /// Types of `c0`, `c1`, …; names are of no importance here.
    pub(super) columns: Vec<algebra::Column>,
}

/// Plans nodes over the granted tables.
pub(super) struct Planner<'a> {
    tables: &'a [Arc<GrantedFiles>],
    aliases: usize,
}

/// The fields that both joins have.
struct Join<'a> {
    kind: JoinKind,
    left: &'a Node,
    right: &'a Node,
    on: &'a [(usize, usize)],
    condition: Option<&'a Expr>,
}

/// A column by its bare name.
pub(super) fn unqualified(name: &str) -> SqlExpr {
    SqlExpr::Column(Column::new_unqualified(name))
}

impl<'a> Planner<'a> {
    pub(super) fn new(tables: &'a [Arc<GrantedFiles>]) -> Self {
        Planner { tables, aliases: 0 }
    }

    /// Plans a node, of whose columns these are needed as text.
    ///
    /// # Errors
    /// When the engine cannot; lineage has excluded everything that depends on the analyst.
    pub(super) fn node(&mut self, node: &Node, needed: &Needed) -> Result<Planned> {
        match node {
            Node::Scan { .. } => self.scan(node, needed),
            Node::Filter { input, predicate } => {
                let input = self.node(input, &coded::by_filter(predicate, needed))?;
                let predicate = positional(predicate, &input.columns)?;
                Ok(Planned {
                    plan: input.plan.filter(predicate)?,
                    ..input
                })
            }
            Node::Project { input, columns } => {
                let input = self.node(input, &coded::by_project(columns, needed))?;
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
            Node::JoinUnit {
                kind,
                left,
                right,
                on,
                condition,
            } => {
                let join = Join {
                    kind: *kind,
                    left,
                    right,
                    on,
                    condition: condition.as_ref(),
                };
                self.join(&join, true, needed)
            }
            Node::JoinPublic {
                kind,
                left,
                right,
                on,
                condition,
            } => {
                let join = Join {
                    kind: *kind,
                    left,
                    right,
                    on,
                    condition: condition.as_ref(),
                };
                self.join(&join, false, needed)
            }
            Node::Union { inputs } => self.union(inputs),
            Node::PerUnit { input, keys, calls } => self.per_unit(input, keys, calls),
            Node::Number {
                input,
                partition,
                order,
            } => self.number(input, partition, order),
        }
    }

    fn scan(&mut self, node: &Node, needed: &Needed) -> Result<Planned> {
        let mut found = Vec::new();
        scans(node, self.tables, &mut found);
        let (Node::Scan { columns, .. }, Some(files)) = (node, found.first()) else {
            return Err(DataFusionError::Internal(
                "a scan of a table that is not granted".to_owned(),
            ));
        };
        let private = !files.granted.public;
        let coded = columns.iter().enumerate();
        let coded = coded.filter(|(position, _)| !needed.contains(position));
        let coded = coded.map(|(_, column)| column.clone()).collect();
        let provider: Arc<dyn TableProvider> = Arc::new(PermittedTable::new(Arc::clone(files), &coded));
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
            output.push(algebra::Column::computed(column.to_string(), meta.column_type));
        }
        let plan = LogicalPlanBuilder::scan(name, provider_as_source(provider), None)?.project(exprs)?;
        Ok(Planned {
            plan,
            private,
            columns: output,
        })
    }

    fn join(&mut self, join: &Join<'_>, on_unit: bool, needed: &Needed) -> Result<Planned> {
        let (of_left, of_right) = coded::by_join(join.left, join.on, join.condition, needed);
        let (left, right) = (self.node(join.left, &of_left)?, self.node(join.right, &of_right)?);
        let (l, r) = (self.alias(), self.alias());
        let qualified = |table: &str, column: String| Column::new(Some(table), column);
        let mut keys: (Vec<Column>, Vec<Column>) = join
            .on
            .iter()
            .map(|(a, b)| (qualified(&l, column_name(*a)), qualified(&r, column_name(*b))))
            .unzip();
        if on_unit {
            keys.0.push(qualified(&l, UNIT.to_owned()));
            keys.1.push(qualified(&r, UNIT.to_owned()));
        }
        let names = |alias: &str, width: usize| -> Vec<Column> {
            (0..width).map(|i| qualified(alias, column_name(i))).collect()
        };
        let names = [names(&l, left.columns.len()), names(&r, right.columns.len())].concat();
        let kept = left.columns.len();
        let mut columns = left.columns;
        columns.extend(right.columns);
        let condition = join
            .condition
            .map(|condition| over(condition, &columns, names.clone()));
        let condition = condition.transpose()?;
        let (left_plan, right_plan) = (left.plan.alias(l.as_str())?, right.plan.alias(r.as_str())?);
        let led_by_right = if on_unit {
            join.kind == JoinKind::Inner && self.rows(join.right) > self.rows(join.left)
        } else {
            true
        };
        let joined = if led_by_right {
            let kind = match join.kind {
                JoinKind::Inner => JoinType::Inner,
                JoinKind::Left => JoinType::Right,
                JoinKind::Semi => JoinType::RightSemi,
                JoinKind::Anti => JoinType::RightAnti,
            };
            right_plan.join(left_plan.build()?, kind, (keys.1, keys.0), condition)?
        } else {
            let kind = match join.kind {
                JoinKind::Inner => JoinType::Inner,
                JoinKind::Left => JoinType::Left,
                JoinKind::Semi => JoinType::LeftSemi,
                JoinKind::Anti => JoinType::LeftAnti,
            };
            left_plan.join(right_plan.build()?, kind, keys, condition)?
        };
        if !join.kind.keeps_right() {
            columns.truncate(kept);
        }
        let mut exprs = Vec::with_capacity(columns.len() + 1);
        if left.private {
            exprs.push(SqlExpr::Column(qualified(&l, UNIT.to_owned())).alias(UNIT));
        }
        for (position, name) in names.into_iter().take(columns.len()).enumerate() {
            exprs.push(SqlExpr::Column(name).alias(column_name(position)));
        }
        Ok(Planned {
            plan: joined.project(exprs)?,
            private: left.private,
            columns,
        })
    }

    fn union(&mut self, inputs: &[Node]) -> Result<Planned> {
        let mut result: Option<Planned> = None;
        for input in inputs {
            let input = self.node(input, &coded::all(input))?;
            result = Some(match result {
                None => input,
                Some(first) => Planned {
                    plan: first.plan.union(input.plan.build()?)?,
                    ..first
                },
            });
        }
        result.ok_or_else(|| DataFusionError::Internal("a union of nothing".to_owned()))
    }

    fn per_unit(
        &mut self,
        input: &Node,
        keys: &[(String, Expr)],
        calls: &[(String, UnitCall)],
    ) -> Result<Planned> {
        let input = self.node(input, &coded::all(input))?;
        let mut columns = Vec::with_capacity(keys.len() + calls.len());
        let mut groups = vec![unqualified(UNIT)];
        for (position, (name, key)) in keys.iter().enumerate() {
            groups.push(positional(key, &input.columns)?.alias(column_name(position)));
            columns.push(typed(name, key, &input.columns)?);
        }
        let (mut aggregates, mut results) = (Vec::new(), Vec::new());
        for (index, (name, call)) in calls.iter().enumerate() {
            let argument = call
                .argument()
                .map(|argument| positional(argument, &input.columns))
                .transpose()?
                .unwrap_or(lit(1_i64));
            let argument_type = match call.argument() {
                None => ColumnType::Int,
                Some(argument) => {
                    type_of(argument, &input.columns).map_err(|e| DataFusionError::Internal(e.to_string()))?
                }
            };
            let (aggregate, column_type) = match call {
                UnitCall::CountRows | UnitCall::Count(_) => (count(argument), ColumnType::Int),
                UnitCall::CountDistinct(_) => (count_distinct(argument), ColumnType::Int),
                // Summed as 38 digits, so that no number of integers wraps around.
                UnitCall::Sum(_) if argument_type == ColumnType::Int => (
                    sum(cast(argument, DataType::Decimal128(DECIMAL_PRECISION, 0))),
                    argument_type,
                ),
                UnitCall::Sum(_) => (sum(argument), argument_type),
                UnitCall::Min(_) => (min(argument), argument_type),
                UnitCall::Max(_) => (max(argument), argument_type),
            };
            let name_of = column_name(keys.len() + index);
            aggregates.push(aggregate.alias(&name_of));
            results.push(try_cast(unqualified(&name_of), column_type.arrow()).alias(&name_of));
            columns.push(algebra::Column::computed(name, column_type));
        }
        let mut exprs = vec![unqualified(UNIT)];
        exprs.extend((0..keys.len()).map(|position| unqualified(&column_name(position))));
        exprs.extend(results);
        Ok(Planned {
            plan: input.plan.aggregate(groups, aggregates)?.project(exprs)?,
            private: true,
            columns,
        })
    }

    fn number(&mut self, input: &Node, partition: &[Expr], order: &[Ordering]) -> Result<Planned> {
        let mut input = self.node(input, &coded::all(input))?;
        let mut groups = vec![unqualified(UNIT)];
        for expr in partition {
            groups.push(positional(expr, &input.columns)?);
        }
        let mut sorted = Vec::with_capacity(order.len() + input.columns.len());
        for Ordering {
            by,
            descending,
            nulls_first,
        } in order
        {
            let by = positional(by, &input.columns)?;
            sorted.push(SortExpr::new(by, !descending, *nulls_first));
        }
        for position in 0..input.columns.len() {
            sorted.push(SortExpr::new(unqualified(&column_name(position)), true, false));
        }
        let number = column_name(input.columns.len());
        let numbered = row_number().partition_by(groups).order_by(sorted).build()?;
        let mut exprs = vec![unqualified(UNIT)];
        exprs.extend((0..input.columns.len()).map(|position| unqualified(&column_name(position))));
        exprs.push(cast(unqualified("n"), DataType::Int64).alias(&number));
        input
            .columns
            .push(algebra::Column::computed("row_number", ColumnType::Int));
        Ok(Planned {
            plan: input.plan.window(vec![numbered.alias("n")])?.project(exprs)?,
            ..input
        })
    }

    /// About how many rows a node has: those of its longest table.
    fn rows(&self, node: &Node) -> u64 {
        let mut scanned = Vec::new();
        scans(node, self.tables, &mut scanned);
        let rows = |files: &Arc<GrantedFiles>| files.granted.files.iter().map(|file| file.rows).sum();
        scanned.into_iter().map(rows).max().unwrap_or(0)
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }
}

fn typed(name: &str, expr: &Expr, columns: &[algebra::Column]) -> Result<algebra::Column> {
    let column_type = type_of(expr, columns).map_err(|e| DataFusionError::Internal(e.to_string()))?;
    Ok(algebra::Column::computed(name, column_type))
}
