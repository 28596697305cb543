//! The rules of lineage as a table, of which `docs/lineage.md` is made: for every node, expression and aggregate of the
//! algebra, whose data stand behind what it yields, why nobody else's do, and the test that attacks it.

use std::fmt::Write as _;

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineageRule {
    /// The node, expression or aggregate.
    pub of: &'static str,
    /// Whose data stand behind a row or value of it.
    pub units: &'static str,
    /// Why nobody else's do.
    pub why: &'static str,
    /// A test that fails when it is wrong: `file.rs::name`.
    pub test: &'static str,
}

const PEOPLE: &str = "tre-query/tests/it/people.rs::leaving_a_person_out_changes_only_values_that_count_them";

const fn rule(of: &'static str, units: &'static str, why: &'static str, test: &'static str) -> LineageRule {
    LineageRule { of, units, why, test }
}

/// Nodes: the *unit of a row* is the person whose removal makes the row disappear. Below a frontier every row has one.
pub const NODES: &[LineageRule] = &[
    rule(
        "scan of a private table",
        "the row's unit",
        "files hold one unit per row; the permit's filter reads that row only",
        "tre-query/tests/it/people.rs::ingesting_without_a_person_changes_only_values_that_count_them",
    ),
    rule(
        "scan of a public table",
        "nobody",
        "reference data of the holder about nobody; alone it has no frontier",
        "output-checker/src/lineage/tests.rs::what_has_no_lineage_is_refused_with_its_code",
    ),
    rule(
        "filter, projection",
        "that of the input row",
        "expressions read one row, are total, and have no state",
        PEOPLE,
    ),
    rule(
        "inner or left join on the unit",
        "the common unit of both sides",
        "the unit is a join key: a left row's partners, and that it has none, are matters of its own unit",
        "tre-query/tests/it/shapes.rs::joins_of_every_kind",
    ),
    rule(
        "semi- or anti-join on the unit",
        "the left row's unit",
        "whether a partner exists is decided by rows of the same unit",
        "tre-query/tests/it/shapes.rs::joins_of_every_kind",
    ),
    rule(
        "join with a public table, of any kind",
        "that of the left row",
        "the right rows belong to nobody and are there whoever takes part",
        "tre-query/tests/it/shapes.rs::joins_of_every_kind",
    ),
    rule(
        "union",
        "the row's unit",
        "rows are put side by side; no private table is read twice, so that no row counts twice",
        "output-checker/src/lineage/tests.rs::a_union_reads_no_table_about_people_twice",
    ),
    rule(
        "aggregation per unit",
        "the unit",
        "a group holds rows of one unit: the unit is one of its keys",
        "tre-query/tests/it/shapes.rs::aggregation_per_person",
    ),
    rule(
        "numbering per unit",
        "the row's unit",
        "numbers are given within one unit, by an order that its own rows decide",
        "tre-query/tests/it/shapes.rs::aggregation_per_person",
    ),
];

/// Expressions: all of them read one row, and none fails by what it reads.
pub const EXPRESSIONS: &[LineageRule] = &[
    rule(
        "column, constant",
        "that of the row",
        "the unit itself is no column: no expression can name a person",
        "tre-query/tests/it/refusals.rs::what_cannot_be_judged_is_refused_with_its_code",
    ),
    rule(
        "comparison, AND, OR, NOT, IS NULL, IN, LIKE, CASE",
        "that of the row",
        "each is a function of values of one row, with NULL as a third truth value",
        PEOPLE,
    ),
    rule(
        "arithmetic, cast",
        "that of the row",
        "what overflows, divides by zero or has no counterpart is NULL, so that no error tells of a row",
        "tre-query/tests/it/cells.rs::expressions_never_fail_by_data",
    ),
    rule(
        "functions of texts and dates",
        "that of the row",
        "they are listed one by one, and none has state, time or randomness",
        "tre-query/tests/it/cells.rs::a_truncated_date_is_its_first_moment",
    ),
];

/// Aggregates at the frontier: a cell's units are those of its rows, an argument's those of the rows that have a value.
pub const AGGREGATES: &[LineageRule] = &[
    rule(
        "group keys",
        "units with a row in the group",
        "a row is in the group of its own keys; declared domains are completed, so that absence says nothing",
        PEOPLE,
    ),
    rule(
        "argument: a quantity where a condition holds",
        "units with a row where it holds and the quantity is not NULL",
        "CASE, FILTER, coalesce and the like become such conditions; both sides of each are evidence of the cell",
        "tre-query/tests/it/shapes.rs::conditions_inside_of_aggregates",
    ),
    rule(
        "counts of rows and of people",
        "those of the group or argument",
        "each row adds one, each person one",
        "tre-query/tests/it/cells.rs::evidence_equals_brute_force_for_every_group",
    ),
    rule(
        "sum",
        "units whose net contribution is not zero, or all with a value, by the policy",
        "sums are exact: a person's part of it is the sum of their own values",
        "tre-query/tests/it/cells.rs::evidence_equals_brute_force_for_every_group",
    ),
    rule(
        "minimum, maximum",
        "units that share it",
        "it is shown only where enough do",
        "tre-query/tests/it/cells.rs::evidence_equals_brute_force_for_every_group",
    ),
    rule(
        "co-moment",
        "those of the product",
        "n·Σxy − Σx·Σy over the rows with a product; the rules about the sum of products decide",
        "tre-query/tests/it/shapes.rs::deviations_and_correlations",
    ),
    rule(
        "several aggregations in one query",
        "those of each",
        "each is a frontier of its own; above, everything is a function of treated cells",
        "tre-query/tests/it/shapes.rs::several_frontiers",
    ),
    rule(
        "levels (GROUPING SETS, CUBE, ROLLUP, and their like)",
        "those of each",
        "what is not shown of one level may not follow from a coarser one",
        "output-checker/tests/it/levels.rs::what_is_not_shown_does_not_follow_from_a_coarser_level",
    ),
];

/// The table as a page in Markdown: `docs/lineage.md`.
pub fn page() -> String {
    let mut page = String::from(PREFACE);
    for (title, rules) in [
        ("Nodes", NODES),
        ("Expressions", EXPRESSIONS),
        ("Aggregates", AGGREGATES),
    ] {
        let _infallible = write!(
            page,
            "\n## {title}\n\n| {} | whose data | why nobody else's | test |\n|---|---|---|---|\n",
            title.to_lowercase()
        );
        for rule in rules {
            let _infallible = writeln!(
                page,
                "| {} | {} | {} | `{}` |",
                rule.of, rule.units, rule.why, rule.test
            );
        }
    }
    page
}

const PREFACE: &str = "\
# Lineage

This page is made from the table in output-checker/src/lineage; a test compares the two, and another that the tests exist.

Before a query runs, the server reads off its plan whose data stand behind every cell that it will yield; the data worker
does so again with the plan that it is about to run, and if the two differ nothing leaves. What is not in these tables
cannot be said in the algebra and is refused.
";
