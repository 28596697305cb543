//! Reasons in words: what a status means under a policy, and what was done to a table.
//!
//! A reason names the policy's numbers and never a cell's: how many people stand behind a suppressed value is what it
//! hides.

use tre_core::codes::{self, Code, Problem};
use tre_core::policy::{Policy, Rounding, RulePack};
use tre_core::status::{Rule, Status, StatusCode};

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
        Rule::SameValue => Some(&codes::SDC_SAME_VALUE),
        Rule::Extreme => Some(&codes::SDC_EXTREME),
        Rule::Complement => Some(&codes::SDC_COMPLEMENT),
        Rule::Threshold => Some(&codes::SDC_THRESHOLD),
        Rule::Zero => Some(&codes::SDC_ZERO),
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
        },
        Rule::SameValue => "everybody behind it has the same value".into(),
        Rule::Extreme => format!("fewer than {} people share it", rules.units.minimum),
        Rule::Complement => {
            format!(
                "it differs from another value of its row, or from the whole group, by fewer than {} people",
                rules.complement.minimum
            )
        }
        Rule::Threshold => format!("fewer than {} people stand behind it", rules.units.minimum),
        Rule::Zero => "nobody stands behind it".into(),
        Rule::RareLabel => format!("fewer than {} people carry its label", rules.labels.minimum),
        Rule::Differing => format!(
            "fewer than {} people may tell it from a value that has left before",
            rules.units.minimum
        ),
    }
}
