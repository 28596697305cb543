//! Majority: more than half have one and the same value, and too few have another.
//!
//! *Definition.* For an argument with a sum, let u be the people with a value whose net contribution is not the most frequent
//! one. Where u is less than half of them and fewer than m, the sum is suppressed, and with it every average; counts of the
//! argument may stay. That nobody differs (u = 0) is included; where the values of all rows are the same, it is
//! [that rule](super::same_value) that speaks.
//!
//! *Why.* A fee that everybody pays is known, or guessed at once: take it times the count from the sum, and what is left is
//! what few people pay. And of nearly everybody it is known what they pay. One other value is enough to pass the rule
//! about equal values, so that rule alone is a lock that one friend opens.
//!
//! *Why more than half.* Without it the rule would ask that m people differ from any one value, and a group of m people never has
//! that, whatever their values.
//!
//! *How it is known.* By counting the values of each group as long as they are few: with more than m of them in a group, at
//! least m people have another value than any given one. That is exact and does not depend on the order of people; a single
//! candidate with a counter (Boyer and Moore) would leave a factor of two open, and groups of fewer than 2·m people undecided.
//!
//! *Sources.* Class and attribute disclosure in the ESSnet guidelines for output checking, 2015. The parameter is ours.
//!
//! *Parameters.* `magnitudes.majority`: `suppress` or `show`; `units.minimum`.

use tre_core::policy::MinimumUnits;

/// Whether a sum over `present` people is suppressed of whom `unlike` differ from the most frequent contribution.
pub(super) fn suppresses(unlike: u64, present: u64, minimum: MinimumUnits) -> bool {
    unlike.saturating_mul(2) < present && !minimum.is_met_by(unlike)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn cases() {
        // (case, people unlike, people present, suppressed)
        let cases = [
            ("nobody has a value", 0, 0, false),
            ("everybody is alike", 0, 30, true),
            ("all but one", 1, 30, true),
            ("one too few differ", 9, 30, true),
            ("just enough differ", 10, 30, false),
            ("more than half are alike, few are not", 5, 11, true),
            ("half are alike", 5, 10, false),
            ("everybody has another value", 9, 10, false),
            ("a flag of many", 400, 1_000, false),
        ];
        for (case, unlike, present, expected) in cases {
            assert_eq!(
                suppresses(unlike, present, 10.try_into().unwrap()),
                expected,
                "{case}"
            );
        }
    }
}
