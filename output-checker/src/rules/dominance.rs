//! Dominance: a sum tells what one or two people contribute when they make up nearly all of it.
//!
//! *Definitions.* X is the sum over a group, x₁ ≥ x₂ the two largest contributions, where a contribution is what one
//! person adds to the sum with all their rows. A sum is unsafe under
//!
//! - the **p% rule** when X − x₁ − x₂ < p/100 · x₁: the second largest contributor subtracts their own part and knows
//!   the largest to within p percent;
//! - the **pq rule** when X − x₁ − x₂ < p/q · x₁: the same where everybody knows everybody's contribution to within q
//!   percent beforehand;
//! - the **(n,k) rule**, here for n of 1 or 2, when x₁ + … + xₙ > k/100 · X.
//!
//! The policy names one rule or several; the sum has to be safe under all. Comparisons are exact: a sum on the border
//! of a rule is safe.
//!
//! *What is suppressed.* The sum, and with it the average that is computed from it. The count of the same argument says
//! nothing of contributions and stays, unless another rule suppresses it.
//!
//! *Values below zero.* Contributions of both signs cancel: X may be smaller than x₁, and the rules mean nothing. So
//! where the smallest value of the group is below zero nothing is computed; the policy lets a person decide, or
//! suppresses the sum as if a rule were broken.
//!
//! *Sources.* τ-ARGUS manual 4.1, and Hundepool et al., Statistical Disclosure Control, 2012, section 4.2. ACRO 1.0:
//! p% with p = 10 and (n,k) with n = 2, k = 90; for negative values "review".
//!
//! *Parameters.* `dominance.rules` in percent, `dominance.negative`.

use tre_core::policy::{Concentration, DominanceRule, Percent, Undecided};

/// A group's sum and who makes it up, in unscaled units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contributions {
    /// The sum.
    pub sum: i128,
    /// The two largest contributions of one person each, largest first; 0 where there is none.
    pub largest: (i128, i128),
    /// The smallest value of a row.
    pub smallest: i128,
}

/// What the rules say of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dominance {
    /// Nobody dominates it, or the policy does not ask.
    Safe,
    /// It is suppressed.
    Suppressed,
    /// The rules are not defined for it, and a person decides.
    Referred,
}

/// Judges a sum; `None`: there is no value to sum.
pub(super) fn judge(contributions: Option<Contributions>, rule: &DominanceRule) -> Dominance {
    let (rules, negative, contributions) = match (rule, contributions) {
        (DominanceRule::None {}, _) | (_, None) => return Dominance::Safe,
        (DominanceRule::Rules { rules, negative }, Some(contributions)) => (rules, negative, contributions),
    };
    if contributions.smallest < 0 {
        return match negative {
            Undecided::Suppress => Dominance::Suppressed,
            Undecided::Refer => Dominance::Referred,
        };
    }
    if rules.iter().any(|rule| breaks(contributions, rule)) {
        Dominance::Suppressed
    } else {
        Dominance::Safe
    }
}

/// Whether a sum of values that are not negative breaks a rule.
fn breaks(contributions: Contributions, rule: &Concentration) -> bool {
    let (first, second) = contributions.largest;
    let [sum, first, second] = [contributions.sum, first, second].map(i128::unsigned_abs);
    // A worker whose largest contributions are more than the sum is not believed: nothing is left.
    let rest = sum.saturating_sub(first).saturating_sub(second);
    let whole = Percent::WHOLE;
    match rule {
        Concentration::PPercent { p } => product(rest, whole) < product(first, p.hundredths()),
        Concentration::Pq { p, q } => product(rest, q.hundredths()) < product(first, p.hundredths()),
        Concentration::Nk { n, k } => {
            let largest = if n.get() == 1 {
                first
            } else {
                first.saturating_add(second)
            };
            product(largest, whole) > product(sum, k.hundredths())
        }
    }
}

/// a · b without overflow, as two numbers that compare like it.
fn product(a: u128, b: u32) -> (u128, u128) {
    const HALF: u32 = 64;
    let low_half = u128::from(u64::MAX);
    let (high, low) = ((a >> HALF) * u128::from(b), (a & low_half) * u128::from(b));
    (high + (low >> HALF), low & low_half)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn percent(percent: f64) -> Percent {
        percent.try_into().unwrap()
    }

    fn p(number: f64) -> Concentration {
        Concentration::PPercent { p: percent(number) }
    }

    fn pq(p: f64, q: f64) -> Concentration {
        Concentration::Pq {
            p: percent(p),
            q: percent(q),
        }
    }

    fn nk(n: i64, k: f64) -> Concentration {
        Concentration::Nk {
            n: n.try_into().unwrap(),
            k: percent(k),
        }
    }

    fn by(rules: Vec<Concentration>, negative: Undecided) -> DominanceRule {
        DominanceRule::Rules { rules, negative }
    }

    #[test]
    fn cases() {
        // (case, rule, sum, largest, second largest, unsafe)
        let cases = [
            // τ-ARGUS manual: 700, 200, 60, 40, 10 as units is safe under p = 10; held by three people, 900, 60, 40,
            // 10 of one holding, it is not.
            ("each on their own", p(10.0), 1010, 700, 200, false),
            ("the first two are one", p(10.0), 1010, 900, 60, true),
            ("p%: on the border", p(10.0), 220, 110, 99, false),
            ("p%: one under it", p(10.0), 1099, 1000, 0, true),
            (
                "p%: nobody is second, on the border",
                p(10.0),
                1100,
                1000,
                0,
                false,
            ),
            ("p%: one person alone", p(10.0), 500, 500, 0, true),
            ("p%: two alone", p(10.0), 900, 500, 400, true),
            ("p%: nobody contributes anything", p(10.0), 0, 0, 0, false),
            ("p%: a fraction of a percent", p(0.01), 10_001, 10_000, 0, false),
            (
                "p%: a fraction of a percent, under it",
                p(0.01),
                10_000,
                10_000,
                0,
                true,
            ),
            (
                "pq: half known beforehand, on the border",
                pq(10.0, 50.0),
                1200,
                1000,
                0,
                false,
            ),
            ("pq: one under it", pq(10.0, 50.0), 1199, 1000, 0, true),
            ("pq with q = 100 is p%", pq(10.0, 100.0), 1100, 1000, 0, false),
            ("nk: two at ninety percent", nk(2, 90.0), 1000, 500, 400, false),
            ("nk: two above it", nk(2, 90.0), 1000, 501, 400, true),
            ("nk: one at its share", nk(1, 43.75), 10_000, 4375, 4000, false),
            ("nk: one above it", nk(1, 43.75), 10_000, 4376, 4000, true),
            ("nk: nobody contributes anything", nk(2, 90.0), 0, 0, 0, false),
            ("more than the sum: not believed", p(10.0), 100, 90, 90, true),
        ];
        for (case, rule, sum, first, second, broken) in cases {
            let contributions = Contributions {
                sum,
                largest: (first, second),
                smallest: 0,
            };
            let expected = if broken {
                Dominance::Suppressed
            } else {
                Dominance::Safe
            };
            for negative in [Undecided::Suppress, Undecided::Refer] {
                assert_eq!(
                    judge(Some(contributions), &by(vec![rule], negative)),
                    expected,
                    "{case}"
                );
            }
            assert_eq!(
                judge(Some(contributions), &DominanceRule::None {}),
                Dominance::Safe
            );
            assert_eq!(judge(None, &by(vec![rule], Undecided::Refer)), Dominance::Safe);
        }
    }

    #[test]
    fn one_broken_rule_of_several_is_enough() {
        let contributions = Contributions {
            sum: 1000,
            largest: (500, 410),
            smallest: 0,
        };
        let rules = |rules| judge(Some(contributions), &by(rules, Undecided::Refer));
        assert_eq!(rules(vec![p(10.0)]), Dominance::Safe);
        assert_eq!(rules(vec![p(10.0), nk(2, 90.0)]), Dominance::Suppressed);
        assert_eq!(rules(vec![nk(2, 90.0), p(10.0)]), Dominance::Suppressed);
    }

    #[test]
    fn a_value_below_zero_is_not_judged_but_decided_by_the_policy() {
        // A sum of 10 from 1000 and -990: no share of it means anything.
        let mixed = Contributions {
            sum: 10,
            largest: (1000, 990),
            smallest: -990,
        };
        for (negative, expected) in [
            (Undecided::Suppress, Dominance::Suppressed),
            (Undecided::Refer, Dominance::Referred),
        ] {
            assert_eq!(judge(Some(mixed), &by(vec![p(0.01)], negative)), expected);
            assert_eq!(judge(Some(mixed), &DominanceRule::None {}), Dominance::Safe);
        }
    }

    #[test]
    fn products_of_the_largest_numbers_compare_exactly() {
        let largest = 10_i128.pow(38) - 1;
        for (sum, first, broken) in [
            (largest, largest / 100 * 90, false),
            (largest, largest, true),
            (largest, largest / 10 * 9 + 10, true),
        ] {
            let contributions = Contributions {
                sum,
                largest: (first, 0),
                smallest: 0,
            };
            assert_eq!(breaks(contributions, &nk(1, 90.0)), broken, "{first}");
        }
        for a in [0, 1, u128::from(u64::MAX), u128::MAX / 10_000] {
            for b in [0, 1, 9_999, 10_000] {
                let (high, low) = product(a, b);
                assert_eq!((high << 64) + low, a * u128::from(b));
            }
        }
        assert!(product(u128::MAX, 10_000) > product(u128::MAX, 9_999));
    }
}
