//! Rounding to a base, after suppression.
//!
//! *Definition.* `nearest`: a value becomes the nearest multiple of the base, half way the even one. `midpoint`: it becomes
//! the middle of the interval of one base's width that it is in, with intervals closed above: with base 6 a count of 1
//! to 6 becomes 3, of 7 to 12 it becomes 9; zero stays zero, and a value below zero is treated as its opposite.
//!
//! The base is in units of the value: a cost of 12.30 to base 5 is 10.00. Everything that the rule covers is marked as
//! rounded, also a value that was a multiple already: otherwise the mark would say whether it was.
//!
//! *Why midpoints.* Each rounded value stands for as many values as every other, and a rounded count of 3 does not tell
//! 5 from 6. Conventional rounding of counts from 8 on to base 5 leaves three values behind the first 10 and five behind
//! all others.
//!
//! `controlled` rounds the values of a column [together](super::controlled).
//!
//! *Sources.* OpenSAFELY: redact counts of 7 or fewer, *then* round to the nearest 5 (the other way round a 5 could
//! only be 6 or 7); midpoint 6 for rates and cumulative counts.
//!
//! *Parameters.* `rounding.method`, `rounding.base`, `rounding.sums`.

use tre_core::policy::Rounding;

use super::controlled::{self, Place};
use super::multiple::{LARGEST_DECIMAL, middle, nearest};

/// The base in unscaled units of one column, and the largest value that the column can hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BaseRounding {
    unit: i128,
    limit: i128,
    how: How,
}

/// One value at a time, or all of a column together.
#[derive(Debug, Clone, Copy)]
enum How {
    Each(fn(i128, i128, i128) -> i128),
    Together,
}

impl BaseRounding {
    /// For counts; `None` when the policy does not round.
    pub(super) fn of_counts(rounding: Rounding) -> Option<Self> {
        BaseRounding::new(rounding, 1, i128::from(i64::MAX))
    }

    /// For sums of that many decimal places; `None` when the policy does not round, or when the base is not a number of
    /// the column's type.
    pub(super) fn of_sums(rounding: Rounding, scale: i8) -> Option<Self> {
        let places = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
        BaseRounding::new(rounding, places, LARGEST_DECIMAL)
    }

    fn new(rounding: Rounding, places: i128, limit: i128) -> Option<Self> {
        let how = match rounding {
            Rounding::None {} => return None,
            Rounding::Nearest { .. } => How::Each(nearest),
            Rounding::Midpoint { .. } => How::Each(middle),
            Rounding::Controlled { .. } => How::Together,
        };
        let unit = i128::from(rounding.base()?.get()).checked_mul(places)?;
        Some(BaseRounding { unit, limit, how })
    }

    /// Rounds what is shown of a column; `places` are those of its values.
    pub(super) fn round(&self, values: &mut [Option<i128>], places: &[Place]) {
        match self.how {
            How::Each(to) => {
                for value in values.iter_mut().flatten() {
                    *value = to(*value, self.unit, self.limit);
                }
            }
            How::Together => {
                let shown = values.iter().zip(places);
                let shown: Vec<(Place, i128)> =
                    shown.filter_map(|(v, place)| Some((*place, (*v)?))).collect();
                let rounded = controlled::round(&shown, self.unit, self.limit);
                for (value, rounded) in values.iter_mut().flatten().zip(rounded) {
                    *value = rounded;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn one(rounding: &BaseRounding, value: i128) -> i128 {
        let mut values = [Some(value)];
        rounding.round(&mut values, &[Place { row: 0, column: 0 }]);
        values.into_iter().flatten().next().unwrap()
    }

    fn base(base: i64) -> Rounding {
        Rounding::Nearest {
            base: base.try_into().unwrap(),
            sums: true,
        }
    }

    #[test]
    fn cases() {
        let counts = BaseRounding::of_counts(base(5)).unwrap();
        for (count, expected) in [
            (0, 0),
            (8, 10),
            (9, 10),
            (12, 10),
            (13, 15),
            (1_000_002, 1_000_000),
        ] {
            assert_eq!(one(&counts, count), expected, "count {count}");
        }
        // 12.30, 12.50 and -12.51 with two decimal places; 12.5 is half way and goes to the even multiple, 10.
        let sums = BaseRounding::of_sums(base(5), 2).unwrap();
        for (sum, expected) in [(1230, 1000), (1250, 1000), (1750, 2000), (-1251, -1500)] {
            assert_eq!(one(&sums, sum), expected, "sum {sum}");
        }
    }

    #[test]
    fn midpoints_of_six_are_those_of_the_source() {
        let six = Rounding::Midpoint {
            base: 6.try_into().unwrap(),
            sums: true,
        };
        let counts = BaseRounding::of_counts(six).unwrap();
        for (count, expected) in [
            (0, 0),
            (1, 3),
            (6, 3),
            (7, 9),
            (12, 9),
            (13, 15),
            (18, 15),
            (i128::from(i64::MAX), i128::from(i64::MAX) / 6 * 6 - 3),
        ] {
            assert_eq!(one(&counts, count), expected, "count {count}");
        }
        // Sums of two decimal places: 0.01 to 6.00 become 3.00.
        let sums = BaseRounding::of_sums(six, 2).unwrap();
        for (sum, expected) in [(0, 0), (1, 300), (600, 300), (601, 900), (-601, -900)] {
            assert_eq!(one(&sums, sum), expected, "sum {sum}");
        }
    }

    #[test]
    fn what_is_suppressed_has_no_part_in_rounding_together() {
        let together = Rounding::Controlled {
            base: 5.try_into().unwrap(),
            sums: true,
        };
        let counts = BaseRounding::of_counts(together).unwrap();
        let places = [0, 1, 2, 3].map(|column| Place { row: 0, column });
        let mut values = [Some(14), None, Some(11), Some(11)];
        counts.round(&mut values, &places);
        assert_eq!(values, [Some(15), None, Some(10), Some(10)]);
    }

    #[test]
    fn no_rounding_and_impossible_scales() {
        assert!(BaseRounding::of_counts(Rounding::None {}).is_none());
        assert!(BaseRounding::of_sums(Rounding::None {}, 2).is_none());
        assert!(BaseRounding::of_sums(base(5), -1).is_none());
        assert!(BaseRounding::of_sums(base(5), 100).is_none());
    }
}
