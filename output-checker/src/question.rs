//! What is decided about a question before any data are read: by its lineage and the policy alone.

use tre_core::codes::{self, Problem};
use tre_core::policy::{Above, Policy, RulePack};

use crate::decision::Decision;
use crate::lineage::Lineage;
use crate::rules::dimensions;

/// Whether a question may be asked under a policy. [`check`](crate::check()) decides the same once more, so that nothing
/// leaves where this was not asked; asked first, it spares reading data for an answer that does not leave.
pub fn judge_question(lineage: &Lineage, policy: &Policy) -> Decision {
    decide(lineage, policy.rules())
}

/// As [`judge_question`], under the rules of a policy.
pub(crate) fn decide(lineage: &Lineage, rules: &RulePack) -> Decision {
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

/// What becomes of an output for this reason.
pub(crate) fn decision(above: Above, reason: Problem) -> Decision {
    let reasons = vec![reason];
    match above {
        Above::Refer => Decision::Refer { reasons },
        Above::Withhold => Decision::Withhold { reasons },
    }
}
