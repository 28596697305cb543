//! The complement rule: no two values of one row may differ by few people.
//!
//! *Definition.* For two arguments a and b of a group, let a∖b be the people with a row that a counts and b does not,
//! and b∖a the other way round. Each is nobody or at least m people; otherwise the argument behind which fewer people
//! stand is suppressed, and of two equal ones the later (the row itself is the first, it is suppressed last). The same
//! holds for the people whose net contributions to two sums differ.
//!
//! *Why.* `count(*)` minus `count(x)` is the number of rows without x, and `sum(x)` over nearly the same people as
//! `sum(y)` tells what the others have. The directions are judged on their own, since a person with several rows can
//! stand on both sides: 20 people of whom one has a row with x and a row without are 20 people in both counts. Two
//! sums over the same rows can still differ by one person: what a person spent, and what they spent on something that
//! nobody else bought.
//!
//! *What it does not do.* It judges pairs. count(*) − count(x) − count(y) can still be one person when x and y
//! complement each other but for that person; sums of several values are left to secondary suppression.
//!
//! The rule does not ask whether the two values pass the other rules. So a zero beside few people is suppressed too:
//! that none of 1 to 9 people has x would be a statement about each of them.
//!
//! *Sources.* ABS DataLab: differences of fewer than 10 may not be derivable. ESSnet guidelines for output checking,
//! 2015: complements count as cells.
//!
//! *Parameters.* `complement.minimum` in people.

use tre_core::policy::ComplementRule;

/// Two arguments of one group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    /// People counted by each.
    pub units: [u64; 2],
    /// People with a row that the first counts and the second does not, and the other way round.
    pub without: [u64; 2],
    /// People whose contributions to the two sums differ; 0 where not both are sums.
    pub differing: u64,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The first.
    First,
    /// The second.
    Second,
}

/// The side that is suppressed, if any.
pub(super) fn suppresses(pair: Pair, rule: &ComplementRule) -> Option<Side> {
    let Pair {
        units: [first, second],
        without: [one, other],
        differing,
    } = pair;
    if [one, other, differing]
        .into_iter()
        .all(|units| rule.minimum.none_or_enough(units))
    {
        None
    } else if first < second {
        Some(Side::First)
    } else {
        Some(Side::Second)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn cases() {
        let rule = ComplementRule {
            minimum: 10.try_into().unwrap(),
        };
        // (case, [units a, units b], [a without b, b without a], suppressed)
        let cases = [
            ("the same people in the same rows", [30, 30], [0, 0], None),
            (
                "x is missing for one person",
                [30, 29],
                [1, 0],
                Some(Side::Second),
            ),
            ("x is missing for nine", [30, 21], [9, 0], Some(Side::Second)),
            ("x is missing for ten", [30, 20], [10, 0], None),
            (
                "x is missing in a row of one who has others",
                [30, 30],
                [1, 0],
                Some(Side::Second),
            ),
            (
                "only the other direction is small",
                [30, 45],
                [10, 3],
                Some(Side::First),
            ),
            ("both directions are small", [30, 31], [2, 3], Some(Side::First)),
            (
                "both small, equally many people: the later",
                [30, 30],
                [2, 2],
                Some(Side::Second),
            ),
            ("both directions are large", [30, 50], [10, 30], None),
            ("no x at all beside many people", [30, 0], [30, 0], None),
            (
                "no x at all beside few people",
                [3, 0],
                [3, 0],
                Some(Side::Second),
            ),
            ("nobody at all", [0, 0], [0, 0], None),
            ("disjoint and large", [12, 15], [12, 15], None),
        ];
        for (case, units, without, expected) in cases {
            let pair = Pair {
                units,
                without,
                differing: 0,
            };
            assert_eq!(suppresses(pair, &rule), expected, "{case}");
        }
    }

    #[test]
    fn sums_that_differ_by_few_people_are_not_shown_together() {
        let rule = ComplementRule {
            minimum: 10.try_into().unwrap(),
        };
        let pair = |differing| Pair {
            units: [30, 30],
            without: [0, 0],
            differing,
        };
        for (differing, expected) in [
            (0, None),
            (1, Some(Side::Second)),
            (9, Some(Side::Second)),
            (10, None),
        ] {
            assert_eq!(suppresses(pair(differing), &rule), expected, "{differing}");
        }
    }

    #[test]
    fn it_is_symmetric_but_for_ties() {
        let rule = ComplementRule {
            minimum: 3.try_into().unwrap(),
        };
        let mut compared = 0;
        for (a, b, ab, ba) in (0..4096_u64).map(|n| (n % 8, n / 8 % 8, n / 64 % 8, n / 512)) {
            let one = suppresses(
                Pair {
                    units: [a, b],
                    without: [ab, ba],
                    differing: 0,
                },
                &rule,
            );
            let other = suppresses(
                Pair {
                    units: [b, a],
                    without: [ba, ab],
                    differing: 0,
                },
                &rule,
            );
            assert_eq!(one.is_some(), other.is_some());
            if a != b && one.is_some() {
                assert_ne!(one, other);
                compared += 1;
            }
        }
        assert!(compared > 1000);
    }
}
