//! What is decided about a question before any data are read: by its lineage and the policy alone.

use tre_core::codes::{self, Problem};
use tre_core::policy::{Above, Policy, RulePack};

use crate::decision::Decision;
use crate::lineage::Lineage;
use crate::rules::{cross, dimensions, tagged};

/// Whether a question may be asked under a policy. [`check`](crate::check()) decides the same once more, so that nothing
/// leaves where this was not asked; asked first, it spares reading data for an answer that does not leave.
pub fn judge_question(lineage: &Lineage, policy: &Policy) -> Decision {
    decide(lineage, policy.rules())
}

/// As [`judge_question`], under the rules of a policy.
pub(crate) fn decide(lineage: &Lineage, rules: &RulePack) -> Decision {
    keys(lineage, rules).and(tags(lineage, rules))
}

fn keys(lineage: &Lineage, rules: &RulePack) -> Decision {
    let size = rules.size;
    if !dimensions::exceeds(lineage.keys.len(), &size) {
        return Decision::Release;
    }
    let what = format!(
        "the question has {} keys, and policy `{}` allows {}",
        lineage.keys.len(),
        rules.id,
        size.max_keys
    );
    decision(size.above, Problem::of(&codes::SDC_TOO_MANY_KEYS, what))
}

fn tags(lineage: &Lineage, rules: &RulePack) -> Decision {
    let mut decided = Decision::Release;
    let tags = cross::tags(lineage);
    for forbidden in rules
        .crosses
        .forbidden
        .iter()
        .filter(|pair| cross::meets(&tags, pair))
    {
        let what = format!("policy `{}` keeps {forbidden} apart", rules.id);
        decided = decided.and(decision(forbidden.then, Problem::of(&codes::SDC_CROSS, what)));
    }
    for rule in rules
        .tagged
        .iter()
        .filter(|rule| tagged::hides_its_value(lineage, rule))
    {
        let what = format!(
            "the question selects by `{}` or computes a key from it, and policy `{}` judges each of its values",
            rule.tag, rules.id
        );
        decided = decided.and(decision(rule.selected, Problem::of(&codes::SDC_SELECTED, what)));
    }
    decided
}

/// What becomes of an output for this reason.
pub(crate) fn decision(above: Above, reason: Problem) -> Decision {
    let reasons = vec![reason];
    match above {
        Above::Refer => Decision::Refer { reasons },
        Above::Withhold => Decision::Withhold { reasons },
    }
}
