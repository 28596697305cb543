//! The aggregates of the query language, each with the kind of analysis that it is, what of people's rows it is computed
//! from, and the rules that judge these parts; and those that are withheld by name, with the reason.
//!
//! The kinds are the *statbarns* of the SACRO project: groups of statistics that carry the same risks of disclosure
//! (Derrick, Green, Ritchie and White 2022, *Disclosure control of machine learning models and statbarns*; the terms are
//! those of the ontology at <https://www.w3id.org/statbarnsdc>). The planner registers what stands here and nothing else,
//! and `docs/aggregates.md` is made of it.

use std::fmt::Write as _;

use tre_core::evidence::ValueKind;
use tre_core::status::Rule;

/// A kind of analysis: a statbarn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Counts.
    Frequencies,
    /// Sums and means.
    LinearAggregations,
    /// Smallest and largest values.
    Endpoints,
    /// Variances and standard deviations.
    Shape,
    /// Covariances and correlations.
    CorrelationCoefficients,
}

impl Class {
    /// The ontology's term.
    pub fn term(self) -> &'static str {
        match self {
            Class::Frequencies => "Frequencies",
            Class::LinearAggregations => "LinearAggregations",
            Class::Endpoints => "Endpoints",
            Class::Shape => "Shape",
            Class::CorrelationCoefficients => "CorrelationCoefficients",
        }
    }

    /// The ontology's address of the term.
    pub fn uri(self) -> String {
        format!("https://www.w3id.org/statbarnsdc#{}", self.term())
    }

    /// The kind of a base-cell value.
    pub fn of(kind: ValueKind) -> Class {
        match kind {
            ValueKind::CountRows
            | ValueKind::CountUnits
            | ValueKind::Count { .. }
            | ValueKind::CountUnitsOf { .. } => Class::Frequencies,
            ValueKind::Sum { .. } => Class::LinearAggregations,
            ValueKind::Min { .. } | ValueKind::Max { .. } => Class::Endpoints,
            ValueKind::Comoment { x, y, .. } if x == y => Class::Shape,
            ValueKind::Comoment { .. } => Class::CorrelationCoefficients,
        }
    }

    /// The rules that judge it beside those that concern whole rows and answers.
    pub fn rules(self) -> &'static [Rule] {
        match self {
            Class::Frequencies => &[
                Rule::Threshold,
                Rule::Zero,
                Rule::Complement,
                Rule::ClassDisclosure,
                Rule::Tag,
            ],
            Class::LinearAggregations => &[
                Rule::Threshold,
                Rule::Complement,
                Rule::SameValue,
                Rule::Dominance,
                Rule::DegreesOfFreedom,
                Rule::Tag,
            ],
            Class::Endpoints => &[Rule::Threshold, Rule::Complement, Rule::Extreme, Rule::Tag],
            // By the sum of the squares or products.
            Class::Shape | Class::CorrelationCoefficients => &[
                Rule::Threshold,
                Rule::Complement,
                Rule::SameValue,
                Rule::Dominance,
                Rule::DegreesOfFreedom,
                Rule::Tag,
            ],
        }
    }
}

/// An aggregate that may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// How it is written.
    pub sql: &'static str,
    /// The planner's name of the function.
    pub function: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// The kind of analysis.
    pub class: Class,
    /// The base cells that it is computed from; each is judged, and treated, before it is.
    pub parts: &'static str,
}

/// The aggregates that may be written over people's rows; over treated cells as well.
pub const OFFERED: &[Offered] = &[
    offered(
        "count(*), count(x), count(distinct pid)",
        "count",
        &[],
        Class::Frequencies,
        "itself",
    ),
    offered(
        "sum(x)",
        "sum",
        &[],
        Class::LinearAggregations,
        "sums of the measures that x is made of, the count of rows with a value",
    ),
    offered(
        "avg(x)",
        "avg",
        &["mean"],
        Class::LinearAggregations,
        "the sum and the count of x",
    ),
    offered("min(x)", "min", &[], Class::Endpoints, "itself"),
    offered("max(x)", "max", &[], Class::Endpoints, "itself"),
    offered(
        "var(x)",
        "var",
        &["var_sample", "var_samp"],
        Class::Shape,
        "the count of x and n·Σx² − (Σx)²",
    ),
    offered(
        "var_pop(x)",
        "var_pop",
        &["var_population"],
        Class::Shape,
        "the same",
    ),
    offered("stddev(x)", "stddev", &["stddev_samp"], Class::Shape, "the same"),
    offered("stddev_pop(x)", "stddev_pop", &[], Class::Shape, "the same"),
    offered(
        "covar_samp(x, y)",
        "covar_samp",
        &["covar"],
        Class::CorrelationCoefficients,
        "of the rows with both values: their count and n·Σxy − Σx·Σy",
    ),
    offered(
        "covar_pop(x, y)",
        "covar_pop",
        &[],
        Class::CorrelationCoefficients,
        "the same",
    ),
    offered(
        "corr(x, y)",
        "corr",
        &[],
        Class::CorrelationCoefficients,
        "the same, and n·Σx² − (Σx)², n·Σy² − (Σy)²",
    ),
];

const fn offered(
    sql: &'static str,
    function: &'static str,
    aliases: &'static [&'static str],
    class: Class,
    parts: &'static str,
) -> Offered {
    Offered {
        sql,
        function,
        aliases,
        class,
        parts,
    }
}

/// Aggregates that no policy can make safe, by all of their names, and why.
pub const WITHHELD: &[(&[&str], &str)] = &[
    (
        &["array_agg", "string_agg", "listagg"],
        "it lists people's values one by one",
    ),
    (
        &[
            "first_value",
            "last_value",
            "any_value",
            "nth_value",
            "first",
            "last",
        ],
        "it is the value of one row, that is, of one person",
    ),
    (
        &["bit_and", "bit_or", "bit_xor", "bool_and", "bool_or"],
        "one person's value can turn it, and its bits can spell a person out",
    ),
    (
        &[
            "approx_distinct",
            "approx_median",
            "approx_percentile_cont",
            "approx_percentile_cont_with_weight",
        ],
        "it is a hash or a sketch of people's values, which no evidence covers",
    ),
    (
        &["median", "percentile_cont", "quantile_cont", "mode"],
        "it is the value of one person or of two, and who is on each side of it is not counted yet",
    ),
    (
        &[
            "regr_slope",
            "regr_intercept",
            "regr_count",
            "regr_r2",
            "regr_avgx",
            "regr_avgy",
            "regr_sxx",
            "regr_syy",
            "regr_sxy",
        ],
        "it can be computed from corr, stddev and avg of the same measures",
    ),
];

/// Why an aggregate is withheld, if it is one of those.
pub fn withheld(function: &str) -> Option<&'static str> {
    let names = WITHHELD.iter().find(|(names, _)| names.contains(&function));
    names.map(|(_, why)| *why)
}

/// The catalogue as a page in Markdown: `docs/aggregates.md`.
pub fn page() -> String {
    let mut page = String::from(PREFACE);
    page.push_str("| written | also | analysis | computed from | judged by |\n|---|---|---|---|---|\n");
    for offered in OFFERED {
        let rules: Vec<String> = offered
            .class
            .rules()
            .iter()
            .map(|rule| rule.to_string())
            .collect();
        let _infallible = writeln!(
            page,
            "| `{}` | {} | [{}]({}) | {} | {} |",
            offered.sql,
            code(offered.aliases),
            offered.class.term(),
            offered.class.uri(),
            offered.parts,
            rules.join(", ")
        );
    }
    page.push_str(BETWEEN);
    page.push_str("| function | why |\n|---|---|\n");
    for (names, why) in WITHHELD {
        let _infallible = writeln!(page, "| {} | {why} |", code(names));
    }
    page
}

fn code(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

const PREFACE: &str = "\
# Aggregates

This page is made from `output-checker/src/catalogue.rs`; a test compares the two.

Every aggregate over people's rows belongs to a kind of analysis, a *statbarn* of the SACRO project, and is computed from
base cells. It is these that are judged: an average, a deviation or a correlation is recomputed from treated sums and
counts, and is as good as the worst of them. Ratios and other arithmetic between aggregates (`CalculatedRatios`) are
computed from treated values too, in the part of the query above people's rows.

";

const BETWEEN: &str = "
A variance is computed from the scatter n·Σx² − (Σx)², which is exact until it is rounded to the policy's significant
digits; the sum of squares, that is not shown, is judged for it.

## Withheld

These are refused by name, under every policy.

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_function_is_both_offered_and_withheld() {
        for offered in OFFERED {
            for name in offered.aliases.iter().chain([&offered.function]) {
                assert_eq!(withheld(name), None, "{name}");
            }
        }
    }
}
