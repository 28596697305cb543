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

#[cfg(test)]
mod tests {
    use super::*;

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
