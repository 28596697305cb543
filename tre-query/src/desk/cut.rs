//! Cuts a plan at the frontier: what is below is lowered, what is above is rebuilt over treated cells.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::logical_expr::{Aggregate as SqlAggregate, LogicalPlan, TableScan};

use tre_core::algebra::{Argument, Frontier, Node};
use tre_core::codes::{self, Problem};

use super::aggregates::{Aggregates, call_of};
use super::answer::SlotTable;
use super::exprs::Slot;
use super::lower::{self, as_named, named_table};
use super::upper::{Upper, Upstairs};

/// Most aggregations over people's rows in one query.
pub(super) const MAX_FRONTIERS: usize = 8;

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
            if matches!(scope.bare(key)?, Some(Slot::Unit | Slot::UnitOrNull(_))) {
                return Err(Problem::new(
                    &codes::SQL_PID,
                    "GROUP BY pid makes a row per person",
                    "aggregate the rows per person again: SELECT avg(n) FROM (SELECT pid, count(*) AS n FROM … GROUP BY pid)",
                ));
            }
            keys.push((key.schema_name().to_string(), scope.lower(key)?));
        }
        let mut aggregates = Aggregates::default();
        let mut parts = Vec::with_capacity(aggregate.aggr_expr.len());
        for expr in &aggregate.aggr_expr {
            parts.push(aggregates.lower(call_of(expr)?, &scope, &input)?);
        }
        // Values without a count: each is a statement that somebody has it.
        let listed = parts.is_empty().then(|| aggregates.units());
        let Aggregates {
            arguments,
            aggregates,
            types: value_types,
        } = aggregates;
        // Conditions grow when an argument is told apart into its terms; what is nested too deeply is refused here.
        for expr in arguments.iter().map(Argument::expr) {
            input.type_of(&expr)?;
        }
        let frontier = Frontier {
            input: input.node,
            keys,
            arguments,
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
                    format!("the query aggregates people's rows in more than {MAX_FRONTIERS} places"),
                    "send it as several queries",
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
            listed,
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
