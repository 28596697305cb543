//! The part above the frontier, rebuilt so that every value travels with its status.
//!
//! A node's columns keep their names and order; beside them stand status columns (`__s0`, …), one per value that was
//! computed from treated cells. A value computed from several takes the largest (worst) of their statuses, and is NULL
//! from [`SUPPRESSED_FROM`] on: what was suppressed does not come back through `coalesce` or a sum.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::scalar::ScalarValue;
use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::functions::expr_fn::greatest;
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr as SqlExpr, ExprSchemable, Filter, Join, Limit, LogicalPlan,
    LogicalPlanBuilder, Projection, Sort, SubqueryAlias, cast, lit, when,
};

use tre_core::codes::{self, Problem};
use tre_core::status::SUPPRESSED_FROM;

use super::answer::SlotTable;
use super::cut::{Cutter, is_private};
use super::parts::Part;
use super::per_unit::groups_by_unit;
use super::session::planning_problem;
use super::unions::Input;
use super::{unions, windows};

/// A rebuilt node: its plan has the original's columns by name, and the statuses of those that have one.
pub(super) struct Upper {
    pub(super) plan: LogicalPlan,
    /// By position in the original's schema.
    pub(super) statuses: Vec<Option<Column>>,
}

/// What stands above in the place of a frontier.
pub(super) struct Upstairs {
    pub(super) slot: Arc<SlotTable>,
    pub(super) index: usize,
    pub(super) parts: Vec<Part>,
    /// The query lists the groups' keys and nothing else: the value that says how many people are behind each.
    pub(super) listed: Option<usize>,
}

/// Rebuilds a plan over the slots of its frontiers.
///
/// # Errors
/// A [`Problem`] when people's rows are not aggregated, or a node stands above that does not carry statuses.
pub(super) fn rebuild(plan: &LogicalPlan, cutter: &mut Cutter) -> Result<Upper, Problem> {
    Rebuilder { cutter, statuses: 0 }.node(plan)
}

struct Rebuilder<'a> {
    cutter: &'a mut Cutter,
    /// Status columns named so far: names are unique in the whole plan.
    statuses: usize,
}

impl Rebuilder<'_> {
    fn node(&mut self, plan: &LogicalPlan) -> Result<Upper, Problem> {
        if !is_private(plan)? {
            let statuses = vec![None; plan.schema().fields().len()];
            return Ok(Upper {
                plan: self.cutter.public(plan.clone())?,
                statuses,
            });
        }
        match plan {
            LogicalPlan::Aggregate(aggregate) => {
                if let [SqlExpr::GroupingSet(sets)] = aggregate.group_expr.as_slice() {
                    let mut inputs = Vec::new();
                    for level in unions::levels(aggregate, sets)? {
                        let upper = self.node(&LogicalPlan::Aggregate(level.aggregate.clone()))?;
                        inputs.push(level.over(upper)?);
                    }
                    unions::stack(inputs, plan, || self.fresh())
                } else if aggregates_above(&aggregate.input) {
                    self.aggregate(aggregate)
                } else if groups_by_unit(aggregate) {
                    Err(Problem::new(
                        &codes::SQL_PID,
                        "GROUP BY pid makes a row per person",
                        "aggregate the rows per person again: SELECT avg(n) FROM (SELECT pid, count(*) AS n FROM … GROUP BY pid)",
                    ))
                } else {
                    self.frontier(aggregate)
                }
            }
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Filter(filter) => {
                let input = self.node(&filter.input)?;
                no_subquery(&filter.predicate)?;
                let plan = Filter::try_new(filter.predicate.clone(), Arc::new(input.plan))
                    .map_err(planning_problem)?;
                Ok(Upper {
                    plan: LogicalPlan::Filter(plan),
                    statuses: input.statuses,
                })
            }
            LogicalPlan::Sort(sort) if aggregates_above(&sort.input) => {
                let input = self.node(&sort.input)?;
                let plan = Sort {
                    input: Arc::new(input.plan),
                    ..sort.clone()
                };
                Ok(Upper {
                    plan: LogicalPlan::Sort(plan),
                    statuses: input.statuses,
                })
            }
            LogicalPlan::Limit(limit) if aggregates_above(&limit.input) => {
                let input = self.node(&limit.input)?;
                let plan = Limit {
                    input: Arc::new(input.plan),
                    ..limit.clone()
                };
                Ok(Upper {
                    plan: LogicalPlan::Limit(plan),
                    statuses: input.statuses,
                })
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let input = self.node(&alias.input)?;
                let plan = SubqueryAlias::try_new(Arc::new(input.plan), alias.alias.clone())
                    .map_err(planning_problem)?;
                let requalified = |column: Column| Column::new(Some(alias.alias.clone()), column.name);
                let statuses = input
                    .statuses
                    .into_iter()
                    .map(|status| status.map(requalified))
                    .collect();
                Ok(Upper {
                    plan: LogicalPlan::SubqueryAlias(plan),
                    statuses,
                })
            }
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Distinct(Distinct::All(input)) if aggregates_above(input) => {
                let columns = input
                    .schema()
                    .columns()
                    .into_iter()
                    .map(SqlExpr::Column)
                    .collect();
                let distinct =
                    Aggregate::try_new(Arc::clone(input), columns, vec![]).map_err(planning_problem)?;
                self.aggregate(&distinct)
            }
            LogicalPlan::TableScan(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Distinct(_) => {
                Err(Problem::of(&codes::SQL_ROWS, "the query returns people's rows"))
            }
            LogicalPlan::Window(window) if aggregates_above(&window.input) => {
                let input = self.node(&window.input)?;
                windows::rebuild(window, input, || self.fresh())
            }
            LogicalPlan::Window(_) => Err(Problem::of(&codes::SQL_ROWS, "the query returns people's rows")),
            LogicalPlan::Union(union) => {
                let mut inputs = Vec::with_capacity(union.inputs.len());
                for input in &union.inputs {
                    inputs.push(Input::whole(self.node(input)?, input.schema()));
                }
                unions::stack(inputs, plan, || self.fresh())
            }
            other => Err(above(&format!("`{}`", other.display()))),
        }
    }

    fn fresh(&mut self) -> String {
        self.statuses += 1;
        format!("__s{}", self.statuses - 1)
    }

    /// Keys and values of the frontier's cells under the names of the aggregation that they replace.
    fn frontier(&mut self, aggregate: &Aggregate) -> Result<Upper, Problem> {
        let Upstairs {
            slot,
            index,
            parts,
            listed,
        } = self.cutter.frontier(aggregate)?;
        let name = format!("__cells{index}");
        let source = provider_as_source(slot as Arc<dyn TableProvider>);
        let mut cells = LogicalPlanBuilder::scan(name.as_str(), source, None).map_err(planning_problem)?;
        let column = |prefix: char, i: usize| {
            SqlExpr::Column(Column::new(Some(name.as_str()), format!("{prefix}{i}")))
        };
        if let Some(units) = listed {
            let shown = column('s', units)
                .lt(lit(SUPPRESSED_FROM))
                .and(column('v', units).gt(lit(0_i64)));
            cells = cells.filter(shown).map_err(planning_problem)?;
        }
        let keys = aggregate.group_expr.len();
        let (mut exprs, mut statuses) = (Vec::new(), vec![None; keys]);
        for (position, (qualifier, field)) in aggregate.schema.iter().enumerate() {
            let value = match position.checked_sub(keys).map(|i| parts.get(i)) {
                None => column('k', position),
                Some(Some(part)) => part.value(&column, field.data_type())?,
                Some(None) => return Err(Problem::of(&codes::RUN_INTERNAL, "an aggregate has no cell")),
            };
            exprs.push(
                cast(value, field.data_type().clone()).alias_qualified(qualifier.cloned(), field.name()),
            );
        }
        for part in &parts {
            let fresh = self.fresh();
            exprs.push(part.status(&column).alias(&fresh));
            statuses.push(Some(Column::new_unqualified(fresh)));
        }
        let plan = cells
            .project(exprs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(planning_problem)?;
        Ok(Upper { plan, statuses })
    }

    fn projection(&mut self, projection: &Projection) -> Result<Upper, Problem> {
        let input = self.node(&projection.input)?;
        let schema = projection.input.schema();
        let (mut exprs, mut statuses) = (Vec::new(), Vec::new());
        let mut beside = Vec::new();
        for (expr, (qualifier, field)) in projection.expr.iter().zip(projection.schema.iter()) {
            no_subquery(expr)?;
            let status = worst(expr, schema, &input.statuses)?;
            let bare = expr.clone().unalias();
            let value = match (&status, &bare) {
                (None, _) | (Some(_), SqlExpr::Column(_)) => expr.clone(),
                (Some(status), _) => {
                    let ty = bare.get_type(schema).map_err(planning_problem)?;
                    unless_suppressed(status.clone(), bare, &ty)?
                        .alias_qualified(qualifier.cloned(), field.name())
                }
            };
            exprs.push(value);
            statuses.push(match status {
                None => None,
                Some(status) => {
                    let fresh = self.fresh();
                    beside.push(status.alias(&fresh));
                    Some(Column::new_unqualified(fresh))
                }
            });
        }
        exprs.extend(beside);
        let plan = Projection::try_new(exprs, Arc::new(input.plan)).map_err(planning_problem)?;
        Ok(Upper {
            plan: LogicalPlan::Projection(plan),
            statuses,
        })
    }

    /// An aggregation over treated cells: a group's value is as bad as the worst value that went into it.
    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Upper, Problem> {
        let input = self.node(&aggregate.input)?;
        let schema = aggregate.input.schema();
        let keys = aggregate.group_expr.len();
        let mut calls = aggregate.aggr_expr.clone();
        let mut worsts = Vec::new();
        for expr in aggregate.group_expr.iter().chain(&aggregate.aggr_expr) {
            no_subquery(expr)?;
            worsts.push(match worst(expr, schema, &input.statuses)? {
                None => None,
                Some(status) => {
                    let fresh = self.fresh();
                    calls.push(max(status).alias(&fresh));
                    Some(fresh)
                }
            });
        }
        let grouped = Aggregate::try_new(Arc::new(input.plan), aggregate.group_expr.clone(), calls)
            .map_err(planning_problem)?;
        let (mut exprs, mut beside, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
        for (position, ((qualifier, field), status)) in aggregate.schema.iter().zip(worsts).enumerate() {
            let value = SqlExpr::Column(Column::from((qualifier, field)));
            let Some(name) = status else {
                exprs.push(value);
                statuses.push(None);
                continue;
            };
            let status = SqlExpr::Column(Column::new_unqualified(name));
            exprs.push(if position < keys {
                value
            } else {
                unless_suppressed(status.clone(), value, field.data_type())?
                    .alias_qualified(qualifier.cloned(), field.name())
            });
            let fresh = self.fresh();
            beside.push(status.alias(&fresh));
            statuses.push(Some(Column::new_unqualified(fresh)));
        }
        exprs.extend(beside);
        let plan = Projection::try_new(exprs, Arc::new(LogicalPlan::Aggregate(grouped)))
            .map_err(planning_problem)?;
        Ok(Upper {
            plan: LogicalPlan::Projection(plan),
            statuses,
        })
    }

    fn join(&mut self, join: &Join) -> Result<Upper, Problem> {
        for side in [&join.left, &join.right] {
            if is_private(side)? && !aggregates_above(side) {
                return Err(Problem::of(&codes::SQL_ROWS, "the query returns people's rows"));
            }
        }
        let left = self.node(&join.left)?;
        let right = self.node(&join.right)?;
        let statuses = match join.join_type {
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                [left.statuses, right.statuses].concat()
            }
            JoinType::LeftSemi | JoinType::LeftAnti => left.statuses,
            JoinType::RightSemi | JoinType::RightAnti => right.statuses,
            JoinType::LeftMark | JoinType::RightMark => return Err(above("this kind of subquery")),
        };
        let plan = Join::try_new(
            Arc::new(left.plan),
            Arc::new(right.plan),
            join.on.clone(),
            join.filter.clone(),
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )
        .map_err(planning_problem)?;
        Ok(Upper {
            plan: LogicalPlan::Join(plan),
            statuses,
        })
    }
}

/// Whether an aggregation over people's rows lies below, on every path from people: then this plan is above it.
fn aggregates_above(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => aggregates_above(&aggregate.input) || !groups_by_unit(aggregate),
        LogicalPlan::TableScan(_) => false,
        other => {
            let private = |input: &LogicalPlan| is_private(input).unwrap_or(true);
            let inputs: Vec<_> = other
                .inputs()
                .into_iter()
                .filter(|input| private(input))
                .collect();
            !inputs.is_empty() && inputs.into_iter().all(aggregates_above)
        }
    }
}

pub(super) fn above(what: &str) -> Problem {
    Problem::of(
        &codes::SQL_SHAPE,
        format!("{what} over treated values cannot be answered"),
    )
}

/// The rules that decorrelate have run; what they left cannot be carried above.
pub(super) fn no_subquery(expr: &SqlExpr) -> Result<(), Problem> {
    use datafusion::common::tree_node::TreeNode;
    let found = expr.exists(|e| {
        Ok(matches!(
            e,
            SqlExpr::ScalarSubquery(_)
                | SqlExpr::Exists(_)
                | SqlExpr::InSubquery(_)
                | SqlExpr::SetComparison(_)
                | SqlExpr::OuterReferenceColumn(..)
        ))
    });
    if found.map_err(planning_problem)? {
        Err(above("this kind of subquery"))
    } else {
        Ok(())
    }
}

/// The worst status of the columns that an expression reads, `None` if none of them has one.
pub(super) fn worst(
    expr: &SqlExpr,
    schema: &DFSchema,
    statuses: &[Option<Column>],
) -> Result<Option<SqlExpr>, Problem> {
    let mut found = BTreeSet::new();
    for column in expr.column_refs() {
        let position = schema.index_of_column(column).map_err(planning_problem)?;
        found.extend(statuses.get(position).cloned().flatten());
    }
    let mut columns: Vec<SqlExpr> = found.into_iter().map(SqlExpr::Column).collect();
    Ok(match columns.len() {
        0 => None,
        1 => columns.pop(),
        // Of a null-extended row there is no status; greatest() leaves NULLs out.
        _ => Some(greatest(columns)),
    })
}

/// The value, or NULL where its status is a suppression.
pub(super) fn unless_suppressed(status: SqlExpr, value: SqlExpr, ty: &DataType) -> Result<SqlExpr, Problem> {
    let null = ScalarValue::try_from(ty).map_err(planning_problem)?;
    when(status.gt_eq(lit(SUPPRESSED_FROM)), lit(null))
        .otherwise(value)
        .map_err(planning_problem)
}
