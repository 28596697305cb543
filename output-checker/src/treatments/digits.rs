//! Significant digits of sums. The first treatment: nothing else ever sees the exact sum.
//!
//! *Definition.* With k digits kept, a sum of more than k decimal digits (of its unscaled integer) is rounded to the
//! nearest multiple of the power of ten that leaves k, half to even. 123 456.78 with 4 digits is 123 500.00.
//!
//! *Sources.* US Census Bureau, Disclosure Review Board: four significant digits. Beyond protection by itself, it keeps
//! one number from carrying a message: 38 digits can spell out a person.
//!
//! *Parameters.* `magnitudes.significant_digits`.

use tre_core::policy::SignificantDigits;

use super::multiple::{LARGEST_DECIMAL, nearest};

/// The sum with at most that many significant digits.
pub(super) fn keep(sum: i128, digits: SignificantDigits) -> i128 {
    let has = sum.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1);
    let unit = 10_i128.checked_pow(has.saturating_sub(digits.get())).unwrap_or(1);
    nearest(sum, unit, LARGEST_DECIMAL)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn cases() {
        // (case, sum, digits, kept)
        let cases = [
            ("zero", 0, 4, 0),
            ("fewer digits than kept", 987, 4, 987),
            ("just as many", 9876, 4, 9876),
            ("one more, down", 98_764, 4, 98_760),
            ("one more, up", 98_766, 4, 98_770),
            ("half to even, down", 98_765, 4, 98_760),
            ("half to even, up", 98_775, 4, 98_780),
            ("carries into a new digit", 99_996, 4, 100_000),
            ("negative", -98_766, 4, -98_770),
            ("one digit", 55, 1, 60),
            ("all digits", LARGEST_DECIMAL, 38, LARGEST_DECIMAL),
            (
                "at the end of the type",
                LARGEST_DECIMAL,
                4,
                9999 * 10_i128.pow(34),
            ),
        ];
        for (case, sum, digits, expected) in cases {
            assert_eq!(keep(sum, digits.try_into().unwrap()), expected, "{case}");
        }
    }

    #[test]
    fn it_is_idempotent_and_keeps_no_more_than_asked() {
        let mut sum = 1_i128;
        for step in 0..120 {
            sum = (sum.wrapping_mul(7).wrapping_add(step)) % LARGEST_DECIMAL;
            for digits in 1..=38_i64 {
                let digits = digits.try_into().unwrap();
                let kept = keep(sum, digits);
                assert_eq!(keep(kept, digits), kept);
                assert_eq!(keep(-sum, digits), -kept);
                let significant = kept
                    .to_string()
                    .trim_start_matches('-')
                    .trim_end_matches('0')
                    .len();
                assert!(significant <= digits.get() as usize);
            }
        }
    }
}
