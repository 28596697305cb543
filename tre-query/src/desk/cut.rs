//! Cuts a plan at the frontier: what is below is lowered, what is above is rebuilt over treated cells.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    Aggregate as SqlAggregate, Expr as SqlExpr, ExprSchemable, LogicalPlan, TableScan,
};

use tre_core::algebra::{Aggregate, Frontier, Node};
use tre_core::codes::{self, Problem};
use tre_core::types::DECIMAL_PRECISION;

use super::answer::SlotTable;
use super::exprs::{Scope, Slot};
use super::lower::{self, as_named, named_table};
use super::upper::{Upper, Upstairs};

/// Most aggregations over people's rows in one query.
const MAX_FRONTIERS: usize = 1;

/// A plan in two parts.
pub(super) struct Cut {
    /// The part above, over slots that [`super::Desk::finish`] fills.
    pub(super) upper: Upper,
    /// The slots of the upper plan.
    pub(super) slots: Slots,
    /// The part below, one per cells slot.
    pub(super) frontiers: Vec<Frontier>,
    /// Public tables to read, one per public slot.
    pub(super) public_reads: Vec<Node>,
}

/// Places in the upper plan that are filled before it runs.
#[derive(Debug, Default, Clone)]
pub(super) struct Slots {
    /// Treated cells, one per frontier.
    pub(super) cells: Vec<Arc<SlotTable>>,
    /// Rows of public tables, one per public read.
    pub(super) public: Vec<Arc<SlotTable>>,
}

/// Cuts an analysed plan.
///
/// # Errors
/// A [`Problem`] when people's rows reach the answer without an aggregation, or what stands below one cannot be said
/// in the algebra.
pub(super) fn cut(plan: &LogicalPlan) -> Result<Cut, Problem> {
    let mut cutter = Cutter {
        frontiers: vec![],
        public_reads: vec![],
        slots: Slots::default(),
    };
    let upper = super::upper::rebuild(plan, &mut cutter)?;
    Ok(Cut {
        upper,
        slots: cutter.slots,
        frontiers: cutter.frontiers,
        public_reads: cutter.public_reads,
    })
}

/// Collects what is below while the part above is rebuilt.
pub(super) struct Cutter {
    frontiers: Vec<Frontier>,
    public_reads: Vec<Node>,
    slots: Slots,
}

/// Whether a plan reads a table about people, in its subqueries too.
///
/// # Errors
/// A [`Problem`] when a scan is not of one of the desk's tables.
pub(super) fn is_private(plan: &LogicalPlan) -> Result<bool, Problem> {
    let mut result = Ok(false);
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            match named_table(scan) {
                Ok(provider) if as_named(provider.as_ref()).is_some_and(|named| named.table.public) => {}
                Ok(_) => {
                    result = Ok(true);
                    return Ok(TreeNodeRecursion::Stop);
                }
                Err(problem) => {
                    result = Err(problem);
                    return Ok(TreeNodeRecursion::Stop);
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(super::session::planning_problem)?;
    result
}

impl Cutter {
    /// Lowers an aggregation over people's rows and returns what stands in its place above.
    ///
    /// # Errors
    /// A [`Problem`] when it is not a frontier that can be judged.
    pub(super) fn frontier(&mut self, aggregate: &SqlAggregate) -> Result<Upstairs, Problem> {
        let input = lower::relation(&aggregate.input)?;
        let scope = lower::scope(&aggregate.input, &input);
        let mut keys = Vec::with_capacity(aggregate.group_expr.len());
        for key in &aggregate.group_expr {
            if matches!(key, SqlExpr::GroupingSet(_)) {
                return Err(Problem::of(
                    &codes::SQL_SHAPE,
                    "GROUPING SETS, CUBE and ROLLUP cannot be checked yet",
                ));
            }
            if scope.bare(key)? == Some(Slot::Unit) {
                return Err(Problem::new(
                    &codes::SQL_PID,
                    "GROUP BY pid makes a row per person",
                    "group by attributes of people; aggregating per person first comes with a later version",
                ));
            }
            keys.push((key.schema_name().to_string(), scope.lower(key)?));
        }
        let (mut aggregates, mut value_types, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for expr in &aggregate.aggr_expr {
            let call = aggregate_call(expr)?;
            let lowered = lowered_aggregate(call, &scope)?;
            let sum_type = sum_type(call, &scope)?;
            let mut place =
                |aggregate: Aggregate| match aggregates.iter().position(|known| *known == aggregate) {
                    Some(position) => position,
                    None => {
                        let is_sum = matches!(aggregate, Aggregate::Sum(_));
                        value_types.push(if is_sum { sum_type.clone() } else { DataType::Int64 });
                        aggregates.push(aggregate);
                        aggregates.len() - 1
                    }
                };
            parts.push(match lowered {
                LoweredAggregate::One(aggregate) => Part::Value(place(aggregate)),
                LoweredAggregate::Mean(column) => Part::Mean {
                    sum: place(Aggregate::Sum(column)),
                    count: place(Aggregate::Count(column)),
                },
            });
        }
        if aggregates.is_empty() {
            return Err(Problem::new(
                &codes::SQL_ROWS,
                "the query lists values of people's rows without counting them",
                "add count(*) or count(distinct pid) to the GROUP BY; SELECT DISTINCT comes with a later version",
            ));
        }
        let frontier = Frontier {
            input: input.node,
            keys,
            aggregates,
        };
        let index = match self.frontiers.iter().position(|known| *known == frontier) {
            Some(index) => index,
            None if self.frontiers.len() < MAX_FRONTIERS => {
                let key_types = aggregate.schema.fields().iter().take(frontier.keys.len());
                let key_types = key_types.map(|field| field.data_type().clone()).collect();
                self.slots
                    .cells
                    .push(Arc::new(SlotTable::cells(key_types, value_types)));
                self.frontiers.push(frontier);
                self.frontiers.len() - 1
            }
            None => {
                return Err(Problem::new(
                    &codes::SQL_SHAPE,
                    "the query aggregates people's rows in more than one place",
                    "write one GROUP BY over people's rows, or send two queries",
                ));
            }
        };
        let slot = self
            .slots
            .cells
            .get(index)
            .ok_or_else(|| Problem::of(&codes::RUN_INTERNAL, "a frontier has no slot"))?;
        Ok(Upstairs {
            slot: Arc::clone(slot),
            index,
            parts,
        })
    }

    /// Replaces the public scans of a plan about nobody by slots.
    ///
    /// # Errors
    /// A [`Problem`] when a scan cannot be read.
    pub(super) fn public(&mut self, plan: LogicalPlan) -> Result<LogicalPlan, Problem> {
        let mut failed = None;
        let replaced = plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::TableScan(scan) = &node else {
                return Ok(Transformed::no(node));
            };
            match self.public_scan(scan) {
                Ok(replacement) => Ok(Transformed::yes(LogicalPlan::TableScan(replacement))),
                Err(problem) => {
                    failed = Some(problem);
                    Ok(Transformed::no(node))
                }
            }
        });
        match failed {
            Some(problem) => Err(problem),
            None => Ok(replaced.map_err(super::session::planning_problem)?.data),
        }
    }

    fn public_scan(&mut self, scan: &TableScan) -> Result<TableScan, Problem> {
        let provider = named_table(scan)?;
        let Some(named) = as_named(provider.as_ref()) else {
            return Err(Problem::of(
                &codes::RUN_INTERNAL,
                format!("`{}` cannot be read here", scan.table_name),
            ));
        };
        let read = Node::Scan {
            dataset: named.table.dataset.clone(),
            table: named.table.table.clone(),
            columns: named
                .table
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect(),
        };
        let index = match self.public_reads.iter().position(|known| *known == read) {
            Some(index) => index,
            None => {
                self.public_reads.push(read);
                self.slots
                    .public
                    .push(Arc::new(SlotTable::new(provider.schema())));
                self.public_reads.len() - 1
            }
        };
        let slot = self
            .slots
            .public
            .get(index)
            .map(Arc::clone)
            .ok_or_else(|| Problem::of(&codes::RUN_INTERNAL, "a public table has no slot"))?;
        let source = provider_as_source(slot as Arc<dyn TableProvider>);
        Ok(TableScan {
            source,
            ..scan.clone()
        })
    }
}

/// Which base-cell values an aggregate of the query is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// One of the frontier's aggregates as it is.
    Value(usize),
    /// The ratio of two, recomputed from the treated values.
    Mean {
        /// Position of the sum.
        sum: usize,
        /// Position of the count.
        count: usize,
    },
}

enum LoweredAggregate {
    One(Aggregate),
    Mean(usize),
}

fn aggregate_call(expr: &SqlExpr) -> Result<&AggregateFunction, Problem> {
    match expr {
        SqlExpr::Alias(alias) => aggregate_call(&alias.expr),
        SqlExpr::AggregateFunction(call) => Ok(call),
        other => Err(Problem::of(
            &codes::SQL_AGGREGATE,
            format!("`{other}` is not an aggregate that can be checked"),
        )),
    }
}

fn lowered_aggregate(call: &AggregateFunction, scope: &Scope<'_>) -> Result<LoweredAggregate, Problem> {
    let params = &call.params;
    let name = call.func.name();
    if params.filter.is_some() || !params.order_by.is_empty() || params.null_treatment.is_some() {
        return Err(Problem::new(
            &codes::SQL_AGGREGATE,
            format!("`{name}` with FILTER, ORDER BY or NULL treatment cannot be checked yet"),
            "put the condition into WHERE, or group by it",
        ));
    }
    let bare = |arg: &SqlExpr| match arg {
        // Whatever the engine would make of it, a pid under a conversion is still a pid.
        SqlExpr::Cast(cast) if scope.bare(&cast.expr)? == Some(Slot::Unit) => Ok(Some(Slot::Unit)),
        _ => scope.bare(uncast(arg, scope)),
    };
    match (name, params.distinct, params.args.as_slice()) {
        ("count", false, [SqlExpr::Literal(value, _)]) if !value.is_null() => {
            Ok(LoweredAggregate::One(Aggregate::CountRows))
        }
        ("count", false, [arg]) => match bare(arg)? {
            // Every row has its unit.
            Some(Slot::Unit) => Ok(LoweredAggregate::One(Aggregate::CountRows)),
            Some(Slot::Column(column)) => Ok(LoweredAggregate::One(Aggregate::Count(column))),
            None => Err(computed(name)),
        },
        ("count", true, [arg]) => match bare(arg)? {
            Some(Slot::Unit) => Ok(LoweredAggregate::One(Aggregate::CountUnits)),
            _ => Err(Problem::new(
                &codes::SQL_AGGREGATE,
                "count(distinct …) of something else than pid cannot be checked yet",
                "use count(distinct pid), or group by the column",
            )),
        },
        ("sum" | "avg", false, [arg]) => match bare(arg)? {
            Some(Slot::Column(column)) if name == "sum" => Ok(LoweredAggregate::One(Aggregate::Sum(column))),
            Some(Slot::Column(column)) => Ok(LoweredAggregate::Mean(column)),
            Some(Slot::Unit) => Err(Problem::of(
                &codes::SQL_PID,
                format!("{name}(pid) has no meaning"),
            )),
            None => Err(computed(name)),
        },
        _ => {
            let distinct = if params.distinct { "distinct " } else { "" };
            Err(Problem::of(
                &codes::SQL_AGGREGATE,
                format!("`{name}({distinct}…)` over people's rows cannot be checked"),
            ))
        }
    }
}

fn computed(name: &str) -> Problem {
    Problem::new(
        &codes::SQL_MEASURE,
        format!("the argument of `{name}` is computed"),
        "put the condition into WHERE or GROUP BY and aggregate a bare column",
    )
}

/// The engine widens the argument of avg to a float; the aggregate is still of the column. Any other conversion is the
/// analyst's and makes the argument a computed one.
fn uncast<'a>(expr: &'a SqlExpr, scope: &Scope<'_>) -> &'a SqlExpr {
    match expr {
        SqlExpr::Alias(alias) => uncast(&alias.expr, scope),
        SqlExpr::Cast(cast) if cast.field.data_type() == &DataType::Float64 => {
            match cast.expr.get_type(scope.schema) {
                Ok(DataType::Int64 | DataType::Decimal128(..)) => &cast.expr,
                _ => expr,
            }
        }
        other => other,
    }
}

/// Type of the sum over an aggregate's argument: what base cells hold.
fn sum_type(call: &AggregateFunction, scope: &Scope<'_>) -> Result<DataType, Problem> {
    let Some(arg) = call.params.args.first() else {
        return Ok(DataType::Int64);
    };
    match uncast(arg, scope)
        .get_type(scope.schema)
        .map_err(super::session::planning_problem)?
    {
        DataType::Decimal128(_, scale) => Ok(DataType::Decimal128(DECIMAL_PRECISION, scale)),
        _ => Ok(DataType::Decimal128(DECIMAL_PRECISION, 0)),
    }
}
