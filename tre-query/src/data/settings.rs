//! How the engine is set up, each setting with its reason, and what a plan must be to be run range by range.

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::streaming::StreamingTableExec;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::BATCH_ROWS;
use super::merge::MergeUnits;
use super::table::UnitRange;

/// Rules of the engine that are not run.
const LEFT_OUT: [&str; 3] = [
    // Which side of a join is kept in memory is ours to say: the public one, for all ranges.
    "join_selection",
    // Filters have been moved in the logical plan. This one takes a filter below an outer join of which not all columns are
    // kept, and there it reads another column: rows that count would be dropped (seen in DataFusion 55.2.0).
    "FilterPushdown",
    "FilterPushdown(Post)",
];

/// A context that plans for one range at a time.
pub(super) fn context(runtime: &Arc<RuntimeEnv>) -> SessionContext {
    let mut config = SessionConfig::new()
        // A range is one stream from file to cells.
        .with_target_partitions(1)
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(false);
    let options = config.options_mut();
    // Leaves take no filters; pushing them would only hide where rows are dropped.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    // The field above switches these off only where it is set by its name.
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.execution.collect_statistics = false;
    let mut rules = PhysicalOptimizer::new().rules;
    rules.retain(|rule| !LEFT_OUT.contains(&rule.name()));
    // Before the rules that see to order, so that they do for merges.
    rules.insert(0, Arc::new(MergeUnits));
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(Arc::clone(runtime))
        .with_physical_optimizer_rules(rules)
        .build();
    SessionContext::new_with_state(state)
}

/// What a plan is run with on one range.
pub(super) fn task(context: &SessionContext, range: usize) -> Arc<TaskContext> {
    let config = context.copied_config().with_extension(Arc::new(UnitRange(range)));
    let task = TaskContext::default().with_session_config(config);
    Arc::new(task.with_runtime(context.runtime_env()))
}

/// Ranges are not exchanged with each other.
///
/// # Errors
/// When the plan would do so.
pub(super) fn check(plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
    if plan.is::<RepartitionExec>() {
        let what = format!("`{}` would bring people of several ranges together", plan.name());
        return Err(DataFusionError::Plan(what));
    }
    plan.children().into_iter().try_for_each(check)
}

/// Whether a plan keeps rows of people from run to run: the table that a join builds of one side is of them. Any other plan
/// can be made once and run for every range, by several threads at once.
pub(super) fn keeps_people(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let builds = plan.is::<HashJoinExec>() || plan.is::<NestedLoopJoinExec>() || plan.is::<CrossJoinExec>();
    let kept = builds.then(|| plan.children().into_iter().next()).flatten();
    kept.is_some_and(reads_people) || plan.children().into_iter().any(keeps_people)
}

fn reads_people(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<StreamingTableExec>() || plan.children().into_iter().any(reads_people)
}
