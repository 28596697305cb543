//! Several rebuilt nodes one below the other: UNION ALL above the frontier, and the levels of GROUPING SETS, CUBE and
//! ROLLUP, each of which is a frontier of its own.
//!
//! Nothing is computed here; a value keeps the status that it has in the node that it comes from.

use std::sync::Arc;

use datafusion::common::scalar::ScalarValue;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{
    Aggregate, Expr as SqlExpr, GroupingSet, LogicalPlan, LogicalPlanBuilder, Union, cast, lit,
};

use tre_core::codes::{self, Problem};

use super::cut::MAX_FRONTIERS;
use super::session::planning_problem;
use super::upper::Upper;

/// A rebuilt node, and which of its columns stand where in the result.
pub(super) struct Input {
    plan: LogicalPlan,
    /// Values with their statuses, in the order of the result's columns.
    columns: Vec<(SqlExpr, Option<Column>)>,
}

impl Input {
    /// A node all of whose columns stand in the result, in their order; `schema` is that of the plan that was rebuilt.
    pub(super) fn whole(upper: Upper, schema: &DFSchema) -> Self {
        let values = schema.columns().into_iter().map(SqlExpr::Column);
        Input {
            plan: upper.plan,
            columns: values.zip(upper.statuses).collect(),
        }
    }
}

/// Puts rebuilt nodes one below the other; the result has the names and types of `like`'s schema. `fresh` names status
/// columns.
///
/// # Errors
/// A [`Problem`] when the engine finds that they do not fit.
pub(super) fn stack(
    inputs: Vec<Input>,
    like: &LogicalPlan,
    mut fresh: impl FnMut() -> String,
) -> Result<Upper, Problem> {
    let width = like.schema().fields().len();
    // A column has statuses if it has them in one of the nodes.
    let names: Vec<Option<String>> = (0..width)
        .map(|i| {
            let has = |input: &Input| matches!(input.columns.get(i), Some((_, Some(_))));
            inputs.iter().any(has).then(&mut fresh)
        })
        .collect();
    let mut stacked = Vec::with_capacity(inputs.len());
    for input in inputs {
        let (mut exprs, mut statuses) = (Vec::with_capacity(width), Vec::new());
        let fields = like.schema().fields().iter().zip(&names).enumerate();
        for ((i, (field, name)), (value, status)) in fields.zip(input.columns) {
            exprs.push(cast(value, field.data_type().clone()).alias(format!("__u{i}")));
            if let Some(name) = name {
                statuses.push(status.map_or(lit(0_i32), SqlExpr::Column).alias(name));
            }
        }
        exprs.extend(statuses);
        let plan = LogicalPlanBuilder::from(input.plan)
            .project(exprs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(planning_problem)?;
        stacked.push(Arc::new(plan));
    }
    let union = Union::try_new_with_loose_types(stacked).map_err(planning_problem)?;
    let mut exprs: Vec<SqlExpr> = like
        .schema()
        .iter()
        .enumerate()
        .map(|(i, (qualifier, field))| {
            unqualified(format!("__u{i}")).alias_qualified(qualifier.cloned(), field.name())
        })
        .collect();
    exprs.extend(names.iter().flatten().cloned().map(unqualified));
    let plan = LogicalPlanBuilder::from(LogicalPlan::Union(union))
        .project(exprs)
        .and_then(LogicalPlanBuilder::build)
        .map_err(planning_problem)?;
    let statuses = names.into_iter().map(|name| name.map(Column::new_unqualified));
    Ok(Upper {
        plan,
        statuses: statuses.collect(),
    })
}

fn unqualified(name: String) -> SqlExpr {
    SqlExpr::Column(Column::new_unqualified(name))
}

/// One level of an aggregation with several.
pub(super) struct Level {
    /// The aggregation of this level.
    pub(super) aggregate: Aggregate,
    /// What stands in the columns of the aggregation with several levels.
    columns: Vec<Place>,
}

/// What stands in a column of an aggregation with several levels.
enum Place {
    /// The level's own column at a position.
    Own(usize),
    /// NULL for a key that the level does not have, or the number of the level.
    Constant(ScalarValue),
}

impl Level {
    /// The level's rebuilt aggregation.
    ///
    /// # Errors
    /// A [`Problem`] when it has fewer columns than the level.
    pub(super) fn over(self, upper: Upper) -> Result<Input, Problem> {
        let own = self.aggregate.schema.columns();
        let columns = self.columns.into_iter().map(|place| match place {
            Place::Constant(value) => Ok((lit(value), None)),
            Place::Own(position) => match (own.get(position), upper.statuses.get(position)) {
                (Some(column), Some(status)) => Ok((SqlExpr::Column(column.clone()), status.clone())),
                _ => Err(Problem::of(&codes::RUN_INTERNAL, "a level has too few columns")),
            },
        });
        Ok(Input {
            columns: columns.collect::<Result<_, Problem>>()?,
            plan: upper.plan,
        })
    }
}

/// The levels of an aggregation over GROUPING SETS, CUBE or ROLLUP.
///
/// # Errors
/// A [`Problem`] when there are too many of them, or one stands twice.
pub(super) fn levels(aggregate: &Aggregate, sets: &GroupingSet) -> Result<Vec<Level>, Problem> {
    let keys = sets.distinct_expr();
    let mut levels: Vec<Level> = Vec::new();
    let mut seen: Vec<usize> = Vec::new();
    for set in listed(sets)? {
        // The planner's number of a level: a bit per key that it does not have, the last key's the lowest.
        let missing = |number: usize, key: &&SqlExpr| (number << 1) | usize::from(!set.contains(key));
        let number = keys.iter().fold(0, missing);
        if seen.contains(&number) {
            return Err(Problem::new(
                &codes::SQL_SHAPE,
                "a grouping set stands twice",
                "write each grouping set once",
            ));
        }
        seen.push(number);
        let kept: Vec<SqlExpr> = keys
            .iter()
            .filter(|key| set.contains(key))
            .map(|key| (*key).clone())
            .collect();
        let level = Aggregate::try_new(Arc::clone(&aggregate.input), kept, aggregate.aggr_expr.clone())
            .map_err(planning_problem)?;
        let mut own = 0..;
        let mut columns = Vec::with_capacity(aggregate.schema.fields().len());
        for (i, field) in aggregate.schema.fields().iter().enumerate() {
            let constant = match keys.get(i) {
                Some(key) if !set.contains(key) => Some(ScalarValue::try_from(field.data_type())),
                None if i == keys.len() => {
                    Some(ScalarValue::UInt64(Some(number as u64)).cast_to(field.data_type()))
                }
                Some(_) | None => None,
            };
            columns.push(match constant {
                Some(constant) => Place::Constant(constant.map_err(planning_problem)?),
                None => Place::Own(own.next().unwrap_or_default()),
            });
        }
        levels.push(Level {
            aggregate: level,
            columns,
        });
    }
    Ok(levels)
}

/// The sets of keys that are meant.
fn listed(sets: &GroupingSet) -> Result<Vec<Vec<SqlExpr>>, Problem> {
    let too_many = || {
        Problem::new(
            &codes::SQL_SHAPE,
            format!("the query has more than {MAX_FRONTIERS} grouping sets"),
            "send it as several queries",
        )
    };
    let lists = match sets {
        GroupingSet::GroupingSets(lists) => lists.clone(),
        GroupingSet::Rollup(keys) => (0..=keys.len())
            .rev()
            .map(|length| keys.iter().take(length).cloned().collect())
            .collect(),
        GroupingSet::Cube(keys) => {
            let sets = u32::try_from(keys.len())
                .ok()
                .and_then(|keys| 1_usize.checked_shl(keys));
            let sets = sets.filter(|sets| *sets <= MAX_FRONTIERS).ok_or_else(too_many)?;
            let of = |bits: usize| {
                let keys = keys.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0);
                keys.map(|(_, key)| key.clone()).collect()
            };
            (0..sets).rev().map(of).collect()
        }
    };
    if lists.len() > MAX_FRONTIERS {
        return Err(too_many());
    }
    Ok(lists)
}
