//! Rounding to a multiple: exact, half to the even multiple, the same for both signs, never beyond a limit.

/// Largest absolute value of a decimal of 38 digits.
pub(super) const LARGEST_DECIMAL: i128 = 10_i128.pow(38) - 1;

/// The multiple of `unit` nearest to `value`; half way between two, the one whose quotient is even.
///
/// Where that multiple is beyond ±`limit` it is the one before, towards zero: the result never leaves the type that
/// the value came in. A `unit` of 1 or less changes nothing.
pub(super) fn nearest(value: i128, unit: i128, limit: i128) -> i128 {
    if unit <= 1 {
        return value;
    }
    let (quotient, remainder) = (value / unit, value % unit);
    let truncated = value - remainder;
    // |remainder| < unit, so the distance to the next multiple is positive and no subtraction overflows.
    let (below, above) = (remainder.abs(), unit - remainder.abs());
    let away = below > above || (below == above && quotient % 2 != 0);
    if !away {
        return truncated;
    }
    match truncated.checked_add(unit * value.signum()) {
        Some(rounded) if rounded.unsigned_abs() <= limit.unsigned_abs() => rounded,
        _ => truncated,
    }
}

/// The middle of the interval of width `unit` that `value` is in: above `k · unit`, up to `(k + 1) · unit`. Zero is its own,
/// and negative values are treated as their opposites. `unit` is even.
///
/// Where that middle is beyond ±`limit` it is that of the interval before: the result never leaves the type that the
/// value came in. A `unit` of 1 or less changes nothing.
pub(super) fn middle(value: i128, unit: i128, limit: i128) -> i128 {
    if unit <= 1 || value == 0 {
        return value;
    }
    // The size of the value less one, rounded down, is a multiple below it; half a unit more is the middle.
    let size = value.unsigned_abs();
    let (unit, limit) = (unit.unsigned_abs(), limit.unsigned_abs());
    let start = (size - 1) / unit * unit;
    let middle = start + unit / 2;
    let within = if middle <= limit {
        middle
    } else {
        start.saturating_sub(unit / 2)
    };
    // What is within the limit of a signed type has its opposite there as well.
    i128::try_from(within).map_or(value, |middle| middle * value.signum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_are_in_the_interval_of_their_value() {
        for unit in [2_i128, 4, 6, 10, 100] {
            for value in 1..400_i128 {
                let found = middle(value, unit, i128::MAX);
                assert_eq!(found % unit, unit / 2);
                assert!(
                    found - unit / 2 < value && value <= found + unit / 2,
                    "{value}: {found}"
                );
                assert_eq!(middle(-value, unit, i128::MAX), -found);
                assert_eq!(middle(found, unit, i128::MAX), found);
            }
            assert_eq!(middle(0, unit, i128::MAX), 0);
        }
        for (value, limit) in [
            (LARGEST_DECIMAL, LARGEST_DECIMAL),
            (-LARGEST_DECIMAL, LARGEST_DECIMAL),
            (i128::MIN, i128::MAX),
        ] {
            assert!(middle(value, 6, limit).unsigned_abs() <= limit.unsigned_abs());
        }
        assert_eq!(middle(7, 1, i128::MAX), 7);
    }

    #[test]
    fn cases() {
        // (case, value, unit, rounded)
        let cases = [
            ("zero", 0, 5, 0),
            ("a multiple", 15, 5, 15),
            ("down", 12, 5, 10),
            ("up", 13, 5, 15),
            ("half to even, down", 25, 10, 20),
            ("half to even, up", 35, 10, 40),
            ("half of the first multiple", 5, 10, 0),
            ("negative, as positive", -13, 5, -15),
            ("negative half to even", -25, 10, -20),
            ("unit one", 7, 1, 7),
            ("unit larger than the value", 3, 1000, 0),
            ("unit much nearer than the value", 600, 1000, 1000),
        ];
        for (case, value, unit, expected) in cases {
            assert_eq!(nearest(value, unit, i128::MAX), expected, "{case}");
        }
    }

    #[test]
    fn it_is_the_nearest_even_on_ties_and_odd_as_a_function() {
        for unit in 2..30_i128 {
            for value in -400..400_i128 {
                let rounded = nearest(value, unit, i128::MAX);
                assert_eq!(rounded % unit, 0);
                let distance = (value - rounded).abs();
                assert!(2 * distance <= unit, "{value} to {unit}: {rounded}");
                if 2 * distance == unit {
                    assert_eq!(rounded / unit % 2, 0);
                }
                assert_eq!(nearest(-value, unit, i128::MAX), -rounded);
            }
        }
    }

    #[test]
    fn extremes_stay_within_their_type() {
        assert_eq!(nearest(LARGEST_DECIMAL, 10, LARGEST_DECIMAL), LARGEST_DECIMAL - 9);
        assert_eq!(
            nearest(-LARGEST_DECIMAL, 10, LARGEST_DECIMAL),
            -(LARGEST_DECIMAL - 9)
        );
        assert_eq!(
            nearest(i128::from(i64::MAX), 5, i128::from(i64::MAX)),
            i128::from(i64::MAX) / 5 * 5
        );
        for value in [i128::MIN, i128::MIN + 1, i128::MAX] {
            for unit in [2, 5, 10, i128::MAX] {
                assert_eq!(nearest(value, unit, i128::MAX) % unit, 0);
            }
        }
    }
}
