//! Rounding to a base, after suppression.
//!
//! *Definition.* A value becomes the nearest multiple of the base, half way the even one. The base is in units of the
//! value: a cost of 12.30 to base 5 is 10.00. Everything that the rule covers is marked as rounded, also a value that
//! was a multiple already: otherwise the mark would say whether it was.
//!
//! *Sources.* OpenSAFELY: redact counts of 7 or fewer, *then* round to the nearest 5 (the other way round a 5 could
//! only be 6 or 7).
//!
//! *Parameters.* `rounding.method`, `rounding.base`, `rounding.sums`.

use tre_core::policy::Rounding;

use super::multiple::{LARGEST_DECIMAL, nearest};

/// The base in unscaled units of one column, and the largest value that the column can hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BaseRounding {
    unit: i128,
    limit: i128,
}

impl BaseRounding {
    /// For counts; `None` when the policy does not round.
    pub(super) fn of_counts(rounding: Rounding) -> Option<Self> {
        match rounding {
            Rounding::None {} => None,
            Rounding::Nearest { base, .. } => Some(BaseRounding {
                unit: i128::from(base.get()),
                limit: i128::from(i64::MAX),
            }),
        }
    }

    /// For sums of that many decimal places; `None` when the policy does not round, or when the base is not a number of
    /// the column's type.
    pub(super) fn of_sums(rounding: Rounding, scale: i8) -> Option<Self> {
        match rounding {
            Rounding::None {} => None,
            Rounding::Nearest { base, .. } => {
                let places = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
                let unit = i128::from(base.get()).checked_mul(places)?;
                Some(BaseRounding {
                    unit,
                    limit: LARGEST_DECIMAL,
                })
            }
        }
    }

    /// The rounded value.
    pub(super) fn round(&self, value: i128) -> i128 {
        nearest(value, self.unit, self.limit)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

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
            assert_eq!(counts.round(count), expected, "count {count}");
        }
        // 12.30, 12.50 and -12.51 with two decimal places; 12.5 is half way and goes to the even multiple, 10.
        let sums = BaseRounding::of_sums(base(5), 2).unwrap();
        for (sum, expected) in [(1230, 1000), (1250, 1000), (1750, 2000), (-1251, -1500)] {
            assert_eq!(sums.round(sum), expected, "sum {sum}");
        }
    }

    #[test]
    fn no_rounding_and_impossible_scales() {
        assert!(BaseRounding::of_counts(Rounding::None {}).is_none());
        assert!(BaseRounding::of_sums(Rounding::None {}, 2).is_none());
        assert!(BaseRounding::of_sums(base(5), -1).is_none());
        assert!(BaseRounding::of_sums(base(5), 100).is_none());
    }
}
