//! Rare labels: a value of a key without declared domain is shown only when enough people carry it.
//!
//! *Definition.* Where the keys of a group are not a combination of declared domains, the group's label came out of the
//! data: that it stands in the answer says that somebody has it. With fewer than m people in the group, all its values
//! are suppressed, and a row of which no value may be shown is left out with its label.
//!
//! NULL is never declared, and neither is any combination when the product of the domains is larger than the policy
//! completes.
//!
//! *Sources.* NDB, trial data set on HIC: records with codes that occur fewer than 10 times are removed. Checks of
//! metadata in SACRO's guide: labels may be rare codes.
//!
//! *Parameters.* `labels.minimum` in people.

use tre_core::policy::LabelsRule;

/// Whether a label that `units` people carry is suppressed.
pub(super) fn suppresses(units: u64, rule: &LabelsRule) -> bool {
    !rule.minimum.is_met_by(units)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn cases() {
        let rule = LabelsRule {
            minimum: 10.try_into().unwrap(),
        };
        // (case, people, suppressed)
        let cases = [
            ("a label of nobody: the worker made it up", 0, true),
            ("a label of one person", 1, true),
            ("one too few", 9, true),
            ("just enough", 10, false),
            ("many", 12_345, false),
        ];
        for (case, units, expected) in cases {
            assert_eq!(suppresses(units, &rule), expected, "{case}");
        }
    }
}
