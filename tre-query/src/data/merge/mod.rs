//! Joins on the unit, in the order of units.
//!
//! Both sides of such a join are sorted by unit, so walking them side by side finds all partners: nothing is built, nothing
//! is kept but the rows of the units under way, and the order that evidence needs stays. The engine's own planner makes a
//! hash join of every equality; [`MergeUnits`] replaces those whose equalities name the unit. It can be told by its
//! type: nothing else is an unsigned integer of 32 bits where rows are joined. Were it told wrongly, the answer would
//! be the same, as the order of both sides is a hard requirement, which a sort fulfils where nothing else does.

mod pairs;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinSide, JoinType, NullEquality};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::equivalence::join_equivalence_properties;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    Distribution, LexOrdering, OrderingRequirements, Partitioning, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

use tre_core::manifest::UNIT_TYPE;

/// Two expressions that have to be equal: of the left side and of the right one.
type Equality = (Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>);

/// Puts [`MergeExec`] in the place of hash joins on the unit. It comes before the rules that see to order.
#[derive(Debug)]
pub(super) struct MergeUnits;

impl PhysicalOptimizerRule for MergeUnits {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let merged = match node.downcast_ref::<HashJoinExec>() {
                Some(join) => MergeExec::of(join)?,
                None => None,
            };
            Ok(merged.map_or_else(
                || Transformed::no(node),
                |merged| Transformed::yes(Arc::new(merged) as _),
            ))
        })
        .data()
    }

    fn name(&self) -> &str {
        "merge_units"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What makes a pair of rows partners, and what becomes of rows without one.
#[derive(Debug, Clone)]
struct Condition {
    /// Inner, left, left semi or left anti.
    kind: JoinType,
    /// The unit's column on each side.
    units: (usize, usize),
    /// Further equalities; NULL equals nothing.
    equalities: Vec<Equality>,
    filter: Option<JoinFilter>,
    /// Of the output.
    schema: SchemaRef,
}

/// A join on the unit.
#[derive(Debug)]
struct MergeExec {
    left: Arc<dyn ExecutionPlan>,
    right: Arc<dyn ExecutionPlan>,
    condition: Condition,
    properties: Arc<PlanProperties>,
}

impl MergeExec {
    /// The same join as a hash join on the unit; `None` where it is not one.
    fn of(join: &HashJoinExec) -> Result<Option<Self>> {
        let planned = matches!(
            join.join_type(),
            JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti
        );
        let plain = join.null_equality() == NullEquality::NullEqualsNothing && !join.contains_projection();
        if !planned || !plain {
            return Ok(None);
        }
        let mut units = None;
        let mut equalities = Vec::new();
        for (left, right) in join.on() {
            match (unit_column(left, join.left())?, unit_column(right, join.right())?) {
                (Some(left), Some(right)) if units.is_none() => units = Some((left, right)),
                _ => equalities.push((Arc::clone(left), Arc::clone(right))),
            }
        }
        let Some(units) = units else {
            return Ok(None);
        };
        let condition = Condition {
            kind: *join.join_type(),
            units,
            equalities,
            filter: join.filter().cloned(),
            schema: join.schema(),
        };
        MergeExec::new(Arc::clone(join.left()), Arc::clone(join.right()), condition).map(Some)
    }

    fn new(
        left: Arc<dyn ExecutionPlan>,
        right: Arc<dyn ExecutionPlan>,
        condition: Condition,
    ) -> Result<Self> {
        let (left_unit, right_unit) = (
            column(&left, condition.units.0),
            column(&right, condition.units.1),
        );
        let mut on = vec![(left_unit, right_unit)];
        on.extend(condition.equalities.iter().cloned());
        let equivalences = join_equivalence_properties(
            left.properties().equivalence_properties().clone(),
            right.properties().equivalence_properties().clone(),
            &condition.kind,
            Arc::clone(&condition.schema),
            &[true, false],
            Some(JoinSide::Left),
            &on,
        )?;
        let properties = PlanProperties::new(
            equivalences,
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(MergeExec {
            left,
            right,
            condition,
            properties: Arc::new(properties),
        })
    }
}

/// The position of the unit, where an expression is its column.
fn unit_column(expr: &Arc<dyn PhysicalExpr>, side: &Arc<dyn ExecutionPlan>) -> Result<Option<usize>> {
    let Some(column) = expr.downcast_ref::<Column>() else {
        return Ok(None);
    };
    let schema = side.schema();
    let is_unit = expr.data_type(&schema)? == UNIT_TYPE && !expr.nullable(&schema)?;
    Ok(is_unit.then_some(column.index()))
}

fn column(side: &Arc<dyn ExecutionPlan>, index: usize) -> Arc<dyn PhysicalExpr> {
    let schema = side.schema();
    let name = schema.fields().get(index).map_or("", |field| field.name());
    Arc::new(Column::new(name, index))
}

impl DisplayAs for MergeExec {
    fn fmt_as(&self, _form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MergeExec: {:?}", self.condition.kind)
    }
}

impl ExecutionPlan for MergeExec {
    fn name(&self) -> &str {
        "MergeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition, Distribution::SinglePartition]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let by_unit = |side, unit| {
            let ordering = LexOrdering::new([PhysicalSortExpr::new_default(column(side, unit))]);
            ordering.map(OrderingRequirements::from)
        };
        let (left, right) = self.condition.units;
        vec![by_unit(&self.left, left), by_unit(&self.right, right)]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true, false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.left, &self.right]
    }

    fn apply_expressions(
        &self,
        apply: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let equalities = self.condition.equalities.iter();
        let filter = self.condition.filter.iter().map(JoinFilter::expression);
        for expr in equalities.flat_map(|(left, right)| [left, right]).chain(filter) {
            if apply(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [left, right] = <[_; 2]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("a join has two sides".to_owned()))?;
        Ok(Arc::new(MergeExec::new(left, right, self.condition.clone())?))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let left = self.left.execute(partition, Arc::clone(&context))?;
        let right = self.right.execute(partition, Arc::clone(&context))?;
        Ok(stream::merged(left, right, &self.condition, &context))
    }
}
