//! All values the same: a sum or average of equal values states the value of every person behind it.
//!
//! *Definition.* For an argument with a sum, the smallest and the largest value of the group's rows are equal. Counts
//! of an argument that is not summed do not tell values and are not concerned.
//!
//! *Why.* Twenty people with a cost of 42 each: the mean is 42 and the deviation 0, and everybody's cost is known. ACRO
//! 1.0.2 has the check in its code but never runs it.
//!
//! *Sources.* Class disclosure in the ESSnet guidelines for output checking, 2015; `AllSameValuesCheck` of ACRO.
//!
//! *Parameters.* `magnitudes.same_value`: `suppress` or `show`.

use tre_core::policy::{MagnitudesRule, Showing};

/// Whether a sum over values from the smallest to the largest is suppressed; `None`: there is no value.
pub(super) fn suppresses(extremes: Option<(i128, i128)>, rule: &MagnitudesRule) -> bool {
    match rule.same_value {
        Showing::Show => false,
        Showing::Suppress => extremes.is_some_and(|(smallest, largest)| smallest == largest),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use tre_core::policy::Contributors;

    #[test]
    fn cases() {
        // (case, extremes, suppressed where equal values are suppressed)
        let cases = [
            ("no value", None, false),
            ("all 42", Some((42, 42)), true),
            ("all zero", Some((0, 0)), true),
            ("all the same negative value", Some((-1, -1)), true),
            ("two values", Some((41, 42)), false),
            ("opposite signs", Some((-7, 7)), false),
            ("the whole range of the type", Some((i128::MIN, i128::MAX)), false),
        ];
        for (case, extremes, expected) in cases {
            for (same_value, expected) in [(Showing::Suppress, expected), (Showing::Show, false)] {
                let rule = MagnitudesRule {
                    significant_digits: 4.try_into().unwrap(),
                    contributors: Contributors::Nonzero,
                    same_value,
                    majority: Showing::Show,
                    degrees_of_freedom: 0.try_into().unwrap(),
                    degrees_of_freedom_of_products: 0.try_into().unwrap(),
                };
                assert_eq!(suppresses(extremes, &rule), expected, "{case}, {same_value:?}");
            }
        }
    }
}
