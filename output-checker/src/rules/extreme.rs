//! Extremes: a smallest or largest value is the value of somebody.
//!
//! *Definition.* With the minimum m, a minimum or maximum is shown when at least m people have a row of exactly that value.
//! A group of nobody has none (NULL).
//!
//! *Why.* The oldest patient's age is one person's age; the lower bound of the oldest age band that ten people are in
//! tells of none of them more than the band does. With m people at the extreme, leaving one of them out changes
//! nothing.
//!
//! *Sources.* ESSnet guidelines for output checking, 2015: minima and maxima are not released unless several units share
//! them. OpenSAFELY allows none at all.
//!
//! *Parameters.* `units.minimum` in people.

use tre_core::policy::UnitsRule;

/// Whether an extreme that `sharing` people have is suppressed.
pub(super) fn suppresses(sharing: u64, rule: &UnitsRule) -> bool {
    !rule.minimum.none_or_enough(sharing)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use tre_core::policy::Showing;

    #[test]
    fn cases() {
        let rule = UnitsRule {
            minimum: 10.try_into().unwrap(),
            zero: Showing::Show,
            jitter: 0.try_into().unwrap(),
        };
        // (people who share the extreme, suppressed); nobody: there is no value
        let cases = [(0, false), (1, true), (9, true), (10, false), (1_000, false)];
        for (sharing, expected) in cases {
            assert_eq!(suppresses(sharing, &rule), expected, "{sharing}");
        }
    }
}
