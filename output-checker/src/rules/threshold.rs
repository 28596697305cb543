//! Minimum units: a value is shown only when enough people stand behind it, or, where the policy shows zeros, nobody.
//!
//! *Definition.* Behind a count stand the people with a row that it counts; behind a sum those of them whose values do
//! not add up to zero, or all of them, as the policy says. With the minimum m, a number of people n is too small when
//! 0 < n < m, and when n = 0 where zeros are suppressed. Both numbers of an argument have to pass, since count and sum
//! are shown together.
//!
//! *Why people and not rows.* Twelve rows of one patient are one patient (facts measured on ACRO 1.0.2, which counts
//! rows: such a sum passes there). *Why present and not all.* A mean over 25 rows of which 3 have a value is a mean of
//! at most 3 people.
//!
//! *Sources.* NDB guideline, comparison table of 2025-09-03: no cell of fewer than 10 patients, 0 allowed. OpenSAFELY:
//! counts of 7 or fewer are redacted. Minimum frequency rule of τ-ARGUS, manual 4.1.
//!
//! *Parameters.* `units.minimum` in people, `units.zero`.

use tre_core::policy::{Showing, UnitsRule};

/// Who stands behind the values of an argument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behind {
    /// People with a row that is counted.
    pub units: u64,
    /// People who contribute to the sum, if there is one; else the same.
    pub contributors: u64,
}

/// Whether the argument's values are suppressed.
pub(super) fn suppresses(behind: Behind, rule: &UnitsRule) -> bool {
    let too_few = |units: u64| match rule.zero {
        Showing::Show => !rule.minimum.none_or_enough(units),
        Showing::Suppress => !rule.minimum.is_met_by(units),
    };
    too_few(behind.units) || too_few(behind.contributors)
}

/// Whether enough people stand behind the argument's values; nobody is not enough.
pub(super) fn enough(behind: Behind, rule: &UnitsRule) -> bool {
    rule.minimum.is_met_by(behind.units) && rule.minimum.is_met_by(behind.contributors)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn cases() {
        // (case, people present, contributors, suppressed where zeros are shown, suppressed where they are not)
        let cases = [
            ("nobody", 0, 0, false, true),
            ("one person", 1, 1, true, true),
            ("one too few", 9, 9, true, true),
            ("just enough", 10, 10, false, false),
            ("many", 1_000_000, 1_000_000, false, false),
            ("enough present, one of them not zero", 10, 1, true, true),
            ("enough present, nine of them not zero", 30, 9, true, true),
            ("enough present, all of them zero", 30, 0, false, true),
            ("too few present, all of them zero", 3, 0, true, true),
        ];
        for (case, units, contributors, zero_shown, zero_suppressed) in cases {
            let behind = Behind { units, contributors };
            for (zero, expected) in [(Showing::Show, zero_shown), (Showing::Suppress, zero_suppressed)] {
                let rule = UnitsRule {
                    minimum: 10.try_into().unwrap(),
                    zero,
                    jitter: 0.try_into().unwrap(),
                };
                assert_eq!(suppresses(behind, &rule), expected, "{case}, {zero:?}");
            }
        }
    }

    #[test]
    fn a_minimum_of_one_is_the_rule_switched_off() {
        let rule = UnitsRule {
            minimum: 1.try_into().unwrap(),
            zero: Showing::Show,
            jitter: 0.try_into().unwrap(),
        };
        assert!((0..20).all(|units| !suppresses(
            Behind {
                units,
                contributors: units
            },
            &rule
        )));
    }
}
