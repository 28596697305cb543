//! Decimal numbers from text, exactly: the same digits in a spec, a CSV file or a float of a Parquet file become the
//! same fixed-point value.

/// Why text is not a number of the wanted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDecimal {
    /// Not a decimal number at all.
    Form,
    /// More decimal places than are kept, and rounding is not allowed.
    Places,
    /// Does not fit 38 digits.
    Range,
}

/// What happens to digits beyond the scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// They must be zeros.
    Exact,
    /// Rounded half away from zero.
    Rounded,
}

/// Largest magnitude: 38 digits.
const LIMIT: i128 = 10i128.pow(38) - 1;

/// Reads `[+-]digits[.digits][e[+-]digits]` as an integer in units of 10^-`scale`.
pub fn parse_decimal(text: &[u8], scale: u8, digits: Digits) -> Result<i128, NotDecimal> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mantissa, exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => {
            let (mantissa, tail) = text.split_at(at);
            (mantissa, parse_exponent(tail.get(1..).unwrap_or_default())?)
        }
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|b| *b == b'.') {
        Some(at) => (
            mantissa.get(..at).unwrap_or_default(),
            mantissa.get(at + 1..).unwrap_or_default(),
        ),
        None => (mantissa, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(NotDecimal::Form);
    }
    // Digits before this position (counted over whole and fraction together) are kept.
    let keep = whole.len() as i64 + exponent + i64::from(scale);
    let mut value: i128 = 0;
    let mut round_up = false;
    for (position, byte) in whole.iter().chain(fraction).enumerate() {
        if !byte.is_ascii_digit() {
            return Err(NotDecimal::Form);
        }
        let digit = i128::from(byte - b'0');
        let position = position as i64;
        if position < keep {
            value = shift_in(value, digit)?;
        } else if digit != 0 {
            if digits == Digits::Exact {
                return Err(NotDecimal::Places);
            }
            round_up |= position == keep && digit >= 5;
        }
    }
    let given = (whole.len() + fraction.len()) as i64;
    if value != 0 {
        for _ in given..keep {
            value = shift_in(value, 0)?;
        }
    }
    value += i128::from(round_up);
    if value > LIMIT {
        return Err(NotDecimal::Range);
    }
    Ok(if negative { -value } else { value })
}

fn shift_in(value: i128, digit: i128) -> Result<i128, NotDecimal> {
    if value > (LIMIT - digit) / 10 {
        Err(NotDecimal::Range)
    } else {
        Ok(value * 10 + digit)
    }
}

fn parse_exponent(text: &[u8]) -> Result<i64, NotDecimal> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotDecimal::Form);
    }
    let mut value: i64 = 0;
    for byte in digits {
        // Beyond this every non-zero number is out of range or rounds to nothing.
        value = (value * 10 + i64::from(byte - b'0')).min(10_000);
    }
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_all_spellings() {
        let cases: &[(&str, u8, Digits, Result<i128, NotDecimal>)] = &[
            ("0", 2, Digits::Exact, Ok(0)),
            ("-0", 2, Digits::Exact, Ok(0)),
            ("12", 2, Digits::Exact, Ok(1200)),
            ("+12.5", 2, Digits::Exact, Ok(1250)),
            ("12.", 1, Digits::Exact, Ok(120)),
            (".5", 1, Digits::Exact, Ok(5)),
            ("-1.239", 2, Digits::Rounded, Ok(-124)),
            ("1.235", 2, Digits::Rounded, Ok(124)),
            ("-1.235", 2, Digits::Rounded, Ok(-124)),
            ("1.2349999", 2, Digits::Rounded, Ok(123)),
            ("1.239", 2, Digits::Exact, Err(NotDecimal::Places)),
            ("1.230", 2, Digits::Exact, Ok(123)),
            ("1e3", 0, Digits::Exact, Ok(1000)),
            ("1.5E-1", 2, Digits::Exact, Ok(15)),
            ("5e-1", 0, Digits::Rounded, Ok(1)),
            ("5e-2", 0, Digits::Rounded, Ok(0)),
            ("5e-20000", 0, Digits::Rounded, Ok(0)),
            ("0e99999", 0, Digits::Exact, Ok(0)),
            ("1e99999", 0, Digits::Exact, Err(NotDecimal::Range)),
            (
                "99999999999999999999999999999999999999",
                0,
                Digits::Exact,
                Ok(LIMIT),
            ),
            (
                "100000000000000000000000000000000000000",
                0,
                Digits::Exact,
                Err(NotDecimal::Range),
            ),
            (
                "99999999999999999999999999999999999999.5",
                0,
                Digits::Rounded,
                Err(NotDecimal::Range),
            ),
            ("", 0, Digits::Rounded, Err(NotDecimal::Form)),
            (".", 0, Digits::Rounded, Err(NotDecimal::Form)),
            ("-", 0, Digits::Rounded, Err(NotDecimal::Form)),
            ("1,000", 0, Digits::Rounded, Err(NotDecimal::Form)),
            ("1e", 0, Digits::Rounded, Err(NotDecimal::Form)),
            ("0x10", 0, Digits::Rounded, Err(NotDecimal::Form)),
            ("NaN", 0, Digits::Rounded, Err(NotDecimal::Form)),
            ("inf", 0, Digits::Rounded, Err(NotDecimal::Form)),
            (" 1", 0, Digits::Rounded, Err(NotDecimal::Form)),
        ];
        for (text, scale, digits, expected) in cases {
            assert_eq!(
                &parse_decimal(text.as_bytes(), *scale, *digits),
                expected,
                "`{text}` at {scale} {digits:?}"
            );
        }
    }
}
