//! The rules of the engine's optimiser, read one by one: an upgrade that adds, removes or moves one fails here until
//! somebody has read it and said why evidence does not depend on it.
//!
//! What evidence depends on is checked row by row while a query runs: units do not decrease, and no unit is in two ranges.
//! So a rule can be wrong in two ways only: it changes which rows there are, or an expression fails that could not.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use tre_core::grant::Grant;

use super::{Engine, Opened};

/// Name and why it may run, in the order in which they run.
type Read = (&'static str, &'static str);

const ANALYSER: [Read; 2] = [
    (
        "resolve_grouping_function",
        "there are no grouping sets below a frontier",
    ),
    (
        "type_coercion",
        "both sides are of one type already; casts of ours are try_cast",
    ),
];

#[rustfmt::skip]
const LOGICAL: [Read; 25] = [
    ("rewrite_set_comparison", "there is no ANY or ALL"),
    ("optimize_unions", "flattens unions; rows stay"),
    ("unions_to_filter", "a union of filters of one table: the algebra has none, since no table is read twice"),
    ("simplify_expressions", "constant folding; our arithmetic is opaque to it and total"),
    ("replace_distinct_aggregate", "there is no DISTINCT below a frontier"),
    ("eliminate_join", "joins on a constant condition"),
    ("decorrelate_predicate_subquery", "there are no subqueries"),
    ("scalar_subquery_to_join", "there are no subqueries"),
    ("decorrelate_lateral_join", "there are no lateral joins"),
    ("extract_equijoin_predicate", "an equality of a join's condition becomes a key"),
    ("eliminate_duplicated_expr", "sort keys and group keys that stand twice"),
    ("eliminate_filter", "filters that are always true or false"),
    ("eliminate_cross_join", "there are no cross joins"),
    ("eliminate_limit", "there are no limits"),
    ("propagate_empty_relation", "what is over no rows has no rows"),
    ("filter_null_join_keys", "rows without a key have no partner; off by default"),
    ("eliminate_outer_join", "a filter above that drops the NULL-extended rows"),
    ("push_down_limit", "there are no limits"),
    ("push_down_filter", "filters move towards the scans, which take none: PermittedTable applies the permit before all"),
    ("single_distinct_aggregation_to_group_by", "count(distinct) of a person as two aggregations, both by unit"),
    ("eliminate_group_by_constant", "the unit is a column and stays a key"),
    ("common_sub_expression_eliminate", "expressions are total and have no state"),
    ("extract_leaf_expressions", "moves expressions; they are total"),
    ("push_down_leaf_projections", "moves expressions; they are total"),
    ("optimize_projections", "columns that nobody reads are not carried along"),
];

#[rustfmt::skip]
const PHYSICAL: [Read; 19] = [
    ("merge_units", "ours: a join on the unit of two streams in the order of the unit is a merge; the same rows, in that order"),
    ("OutputRequirements", "marks the order by unit that the plan demands"),
    ("aggregate_statistics", "counts from statistics: off, and leaves have none"),
    ("LimitedDistinctAggregation", "there are no limits"),
    ("WindowTopN", "a filter on row_number becomes a partial sort: the same rows"),
    ("EnsureRequirements", "inserts the sort by unit where the order is lost; one partition, so nothing is exchanged"),
    ("CombinePartialFinalAggregate", "two steps of an aggregation per person as one"),
    ("OptimizeAggregateOrder", "there are no ordered aggregates"),
    ("ProjectionPushdown", "projections move"),
    ("OutputRequirements", "takes the mark away after it was satisfied"),
    ("LimitAggregation", "there are no limits"),
    ("LimitPushPastWindows", "there are no limits"),
    ("HashJoinBuffering", "polls a side of a join earlier; off by default"),
    ("LimitPushdown", "there are no limits"),
    ("TopKRepartition", "there are no limits, and one partition"),
    ("ProjectionPushdown", "projections move"),
    ("PushdownSort", "leaves take no sort"),
    ("EnsureCooperative", "yields to other tasks"),
    ("SanityCheckPlan", "fails a plan whose order is not as demanded"),
];

fn engine() -> Engine {
    let grant = Grant {
        project: "p".parse().unwrap(),
        tables: vec![],
    };
    Engine::open(Opened {
        grant,
        files: vec![],
        keys: vec![],
        pseudonym_key: [0; 32],
        memory_bytes: 1 << 20,
        threads: 1,
    })
    .unwrap()
}

#[test]
fn every_rule_of_the_optimiser_has_been_read() {
    let state = super::settings::context(&engine().runtime).state();
    let names = |read: &[Read]| -> Vec<String> { read.iter().map(|(name, _)| (*name).to_owned()).collect() };
    let analyser = state.analyzer().rules.iter();
    let logical = state.optimizers().iter();
    let physical = state.physical_optimizers().iter();
    let found = [
        analyser.map(|rule| rule.name().to_owned()).collect::<Vec<_>>(),
        logical.map(|rule| rule.name().to_owned()).collect(),
        physical.map(|rule| rule.name().to_owned()).collect(),
    ];
    assert_eq!(found, [names(&ANALYSER), names(&LOGICAL), names(&PHYSICAL)]);
}

#[test]
fn what_their_reasons_rely_on_is_set() {
    let state = super::settings::context(&engine().runtime).state();
    let options = state.config_options();
    assert_eq!(options.execution.target_partitions, 1);
    assert!(!options.execution.collect_statistics);
    let optimizer = &options.optimizer;
    let dynamic = [
        optimizer.enable_dynamic_filter_pushdown,
        optimizer.enable_join_dynamic_filter_pushdown,
        optimizer.enable_aggregate_dynamic_filter_pushdown,
        optimizer.enable_topk_dynamic_filter_pushdown,
    ];
    assert_eq!(dynamic, [false; 4]);
    assert!(!optimizer.filter_null_join_keys);
    assert_eq!(options.execution.hash_join_buffering_capacity, 0);
}
