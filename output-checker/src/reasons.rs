//! Reasons in words: what a status means under a policy, and what was done to a table.
//!
//! A reason names the policy's numbers and never a cell's: how many people stand behind a suppressed value is what it
//! hides.

use std::collections::BTreeSet;

use tre_core::codes::{self, Code, Problem};
use tre_core::policy::{DominanceRule, Perturbation, Policy, Rounding, RulePack};
use tre_core::status::{Rule, Status, StatusCode};

use crate::lineage::Lineage;
use crate::rules::cross;
use crate::summary::Summary;

/// Why a value is as it is; `None` when nothing was done to it.
pub fn of_status(status: StatusCode, policy: &Policy) -> Option<Problem> {
    let code = code_of(status.rule())?;
    if status.status() == Status::Shown {
        return None;
    }
    let why = why(status.rule(), policy.rules());
    Some(Problem::of(
        code,
        format!("{} ({}): {why}", status.status(), status.rule()),
    ))
}

/// Every rule that a status can name, with what it means under a policy for a question of these lineages: the threshold,
/// never a count.
pub fn of_rules<'l>(policy: &Policy, question: impl IntoIterator<Item = &'l Lineage>) -> Vec<(Rule, String)> {
    const RULES: [Rule; 12] = [
        Rule::Threshold,
        Rule::Complement,
        Rule::SameValue,
        Rule::Extreme,
        Rule::ClassDisclosure,
        Rule::Dominance,
        Rule::DegreesOfFreedom,
        Rule::RareLabel,
        Rule::Level,
        Rule::Tag,
        Rule::Zero,
        Rule::Base,
    ];
    let asked: BTreeSet<&str> = question.into_iter().flat_map(cross::tags).collect();
    let mut rules = policy.rules().clone();
    rules.tagged.retain(|rule| asked.contains(rule.tag.as_str()));
    RULES.into_iter().map(|rule| (rule, why(rule, &rules))).collect()
}

/// What was done to a table, a line per value column and reason.
pub fn of_summary(summary: &Summary, policy: &Policy) -> Vec<Problem> {
    let mut lines = Vec::new();
    for value in &summary.values {
        for count in &value.statuses {
            let status = StatusCode::new(count.status, count.rule);
            if let Some(reason) = of_status(status, policy) {
                let what = format!(
                    "`{}`: {} of {} {}",
                    value.value, count.cells, summary.rows, reason.what
                );
                lines.push(Problem::new(reason.code, what, reason.hint));
            }
        }
    }
    lines
}

/// The code under which a rule is explained; none for values to which nothing was done.
fn code_of(rule: Rule) -> Option<&'static Code> {
    match rule {
        Rule::None => None,
        Rule::Base => Some(&codes::SDC_BASE),
        Rule::CellKey => Some(&codes::SDC_CELL_KEY),
        Rule::SameValue => Some(&codes::SDC_SAME_VALUE),
        Rule::Majority => Some(&codes::SDC_MAJORITY),
        Rule::Extreme => Some(&codes::SDC_EXTREME),
        Rule::Dominance => Some(&codes::SDC_DOMINANCE),
        Rule::DegreesOfFreedom => Some(&codes::SDC_DEGREES_OF_FREEDOM),
        Rule::Complement => Some(&codes::SDC_COMPLEMENT),
        Rule::Level => Some(&codes::SDC_LEVEL),
        Rule::ClassDisclosure => Some(&codes::SDC_CLASS),
        Rule::Threshold => Some(&codes::SDC_THRESHOLD),
        Rule::Zero => Some(&codes::SDC_ZERO),
        Rule::Tag => Some(&codes::SDC_TAG),
        Rule::RareLabel => Some(&codes::SDC_RARE_LABEL),
        Rule::Differing => Some(&codes::SDC_DIFFERING),
    }
}

fn why(rule: Rule, rules: &RulePack) -> String {
    match rule {
        Rule::None => "nothing was done".into(),
        Rule::Base => match rules.rounding {
            Rounding::None {} => "rounded to a base".into(),
            Rounding::Nearest { base, .. } => format!("to the nearest multiple of {base}"),
            Rounding::Midpoint { base, .. } => format!("to the middle of {base} whole numbers"),
            Rounding::Controlled { base, .. } => {
                format!("to a multiple of {base} next to it, so that the column adds up")
            }
        },
        Rule::CellKey => match &rules.perturbation {
            Perturbation::CellKey { deviation, .. } => format!("by noise of up to {deviation} people"),
            Perturbation::None {} | Perturbation::Listed { .. } => "by noise of the policy's table".into(),
        },
        Rule::SameValue => "everybody behind it has the same value".into(),
        Rule::Majority => format!(
            "more than half of those behind it have the same value, and fewer than {} people{} another",
            rules.units.minimum,
            more(rules)
        ),
        Rule::Extreme => format!(
            "fewer than {} people{} share it",
            rules.units.minimum,
            more(rules)
        ),
        Rule::Dominance => match &rules.dominance {
            DominanceRule::None {} => "one or two people make up too much of it".into(),
            DominanceRule::Rules { rules, .. } => {
                let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
                format!("one or two people make up too much of it ({})", rules.join("; "))
            }
        },
        Rule::DegreesOfFreedom => {
            let (sums, products) = (
                rules.magnitudes.degrees_of_freedom,
                rules.magnitudes.degrees_of_freedom_of_products,
            );
            let least = match (sums.get(), products.get()) {
                (0, _) => format!("{products} degrees of freedom for squares and products"),
                (_, 0) => format!("{sums} degrees of freedom"),
                _ => format!("{sums} degrees of freedom, {products} for squares and products"),
            };
            format!("the policy asks for {least}, which are the people with a value less one")
        }
        Rule::Complement => {
            format!(
                "it differs from another value of its row, or from the whole group, by fewer than {} people{}",
                rules.complement.minimum,
                more(rules)
            )
        }
        Rule::Level => {
            "with others it adds up to a value of a coarser level, and some of these others are not shown"
                .into()
        }
        Rule::ClassDisclosure => "everybody of its group falls into one category".into(),
        Rule::Threshold => {
            let by_tag = rules.tagged.iter().filter_map(|rule| {
                let strictest = rule.strictest().filter(|most| *most > rules.units.minimum)?;
                Some(format!(" (for some values of `{}`: {strictest})", rule.tag))
            });
            let by_tag: String = by_tag.collect();
            format!(
                "fewer than {} people{} stand behind it{by_tag}",
                rules.units.minimum,
                more(rules)
            )
        }
        Rule::Tag => "the policy shows nothing of this value of a tagged column".into(),
        Rule::Zero => "nobody stands behind it".into(),
        Rule::RareLabel => format!(
            "fewer than {} people{} carry its label",
            rules.labels.minimum,
            more(rules)
        ),
        Rule::Differing => format!(
            "fewer than {} people may tell it from a value that has left before",
            rules.units.minimum
        ),
    }
}

/// What jitter adds to a minimum, in words; the number drawn is nobody's to know.
pub(crate) fn more(rules: &RulePack) -> String {
    match rules.units.jitter.get() {
        0 => String::new(),
        jitter => format!(" (or up to {jitter} more)"),
    }
}
