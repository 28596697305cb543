//! Degrees of freedom: a mean of n people has n − 1 of them.
//!
//! *Definition.* A sum, and the average that is computed from it, is suppressed when fewer than d + 1 people have a value
//! behind it. A sum of squares or products, from which variances, standard deviations, covariances and correlations are
//! computed, has a d of its own. Counts are not concerned. Nobody at all is not: then there is no sum.
//!
//! *Why.* Whoever knows their own value and the mean of n people knows the mean of the n − 1 others; with few degrees
//! of freedom a statistic is close to the values that it is computed from. A policy asks for it where it wants more
//! people behind magnitudes than behind counts.
//!
//! *Sources.* ESSnet guidelines for output checking, 2015: at least ten degrees of freedom for modelled outputs.
//! ACRO 1.0, `MinimumDoFCheck`: n − 1 of at least 10, for standard deviations and the like.
//!
//! *Parameters.* `magnitudes.degrees_of_freedom`, and `degrees_of_freedom_of_products`; 0 switches the rule off.

use tre_core::policy::DegreesOfFreedom;

/// Whether a sum is suppressed behind which `units` people have a value.
pub(super) fn suppresses(units: u64, least: DegreesOfFreedom) -> bool {
    units
        .checked_sub(1)
        .is_some_and(|freedom| freedom < u64::from(least.get()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn cases() {
        // (case, people, least, suppressed)
        let cases = [
            ("nobody: there is no sum", 0, 10, false),
            ("one person", 1, 10, true),
            ("as many people as degrees", 10, 10, true),
            ("one more", 11, 10, false),
            ("one person has none", 1, 1, true),
            ("off", 1, 0, false),
        ];
        for (case, units, least, expected) in cases {
            assert_eq!(
                suppresses(units, i64::from(least).try_into().unwrap()),
                expected,
                "{case}"
            );
        }
    }
}
