//! Values of each type from text. White space around numbers, dates and truth values does not count; around text it
//! does.

use crate::reason::Reason;

/// `[+-]digits` that fit 64 bits.
pub(super) fn int(text: &[u8]) -> Result<i64, Reason> {
    let text = text.trim_ascii();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return Err(Reason::NotAnInt);
    }
    // Counted downwards, since the smallest integer has no positive counterpart.
    let mut value: i64 = 0;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return Err(Reason::NotAnInt);
        }
        let next = value
            .checked_mul(10)
            .and_then(|v| v.checked_sub(i64::from(byte - b'0')));
        value = next.ok_or(Reason::TooLarge)?;
    }
    if negative {
        Ok(value)
    } else {
        value.checked_neg().ok_or(Reason::TooLarge)
    }
}

/// true, t, yes, y, 1 and their opposites, in any case.
pub(super) fn truth(text: &[u8]) -> Result<bool, Reason> {
    let text = text.trim_ascii();
    let is = |words: [&str; 5]| {
        words
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
    };
    if is(["true", "t", "yes", "y", "1"]) {
        Ok(true)
    } else if is(["false", "f", "no", "n", "0"]) {
        Ok(false)
    } else {
        Err(Reason::NotABool)
    }
}

/// YYYY-MM-DD or YYYYMMDD, years 1 to 9999, as days since 1970-01-01.
pub(super) fn date(text: &[u8]) -> Result<i32, Reason> {
    match split_date(text.trim_ascii()) {
        Some((days, b"")) => Ok(days),
        _ => Err(Reason::NotADate),
    }
}

/// A date, `T` or a space, hh:mm[:ss[.fraction]] and Z, ±hh:mm, ±hhmm, ±hh or nothing (UTC), as microseconds since
/// 1970-01-01T00:00:00Z; further digits of the fraction are cut off. A date alone is its first instant.
pub(super) fn timestamp(text: &[u8]) -> Result<i64, Reason> {
    parse_timestamp(text.trim_ascii()).ok_or(Reason::NotATimestamp)
}

fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let (days, rest) = split_date(text)?;
    let midnight = i64::from(days) * MICROS_PER_DAY;
    let rest = match rest {
        [] => return Some(midnight),
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let (hour, rest) = two_digits(rest, 23)?;
    let (minute, rest) = two_digits(rest.strip_prefix(b":")?, 59)?;
    let (second, rest) = match rest.strip_prefix(b":") {
        Some(rest) => two_digits(rest, 59)?,
        None => (0, rest),
    };
    let (micros, rest) = match rest {
        [b'.' | b',', digits @ ..] => {
            let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
            if count == 0 {
                return None;
            }
            let kept = digits
                .iter()
                .copied()
                .take(count)
                .chain(std::iter::repeat(b'0'))
                .take(6);
            let micros = kept.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
            (micros, digits.get(count..)?)
        }
        rest => (0, rest),
    };
    let offset_minutes = match rest {
        b"" | b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let (hours, zone) = two_digits(zone, 23)?;
            let minutes = match zone {
                b"" => 0,
                [b':', zone @ ..] | zone => match two_digits(zone, 59)? {
                    (minutes, b"") => minutes,
                    _ => return None,
                },
            };
            let offset = hours * 60 + minutes;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
    Some(midnight + seconds * 1_000_000 + micros)
}

pub(super) const MICROS_PER_DAY: i64 = 86_400_000_000;

fn two_digits(text: &[u8], max: i64) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<2>()?;
    let value = digits_of(digits)?;
    (value <= max).then_some((value, rest))
}

fn digits_of(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// A date at the start of the text, and what follows it.
fn split_date(text: &[u8]) -> Option<(i32, &[u8])> {
    let (year, rest) = text.split_first_chunk::<4>()?;
    let (year, dashed) = (digits_of(year)?, rest.first() == Some(&b'-'));
    let (month, rest) = two_digits(if dashed { rest.get(1..)? } else { rest }, 12)?;
    let (day, rest) = two_digits(if dashed { rest.strip_prefix(b"-")? } else { rest }, 31)?;
    if year == 0 || month == 0 || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    Some((days_from_civil(year, month, day), rest))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) as i32
}

/// The first day of the month in which a day lies (the inverse of the above, without the month's name).
pub(super) fn first_of_month(days: i32) -> i32 {
    let shifted = i64::from(days) + 719_468;
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5;
    days - day_of_month as i32
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn integers() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("-7", Ok(-7)),
            ("+7", Ok(7)),
            (" 42 ", Ok(42)),
            ("007", Ok(7)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9223372036854775808", Err(Reason::TooLarge)),
            ("", Err(Reason::NotAnInt)),
            ("-", Err(Reason::NotAnInt)),
            ("1.0", Err(Reason::NotAnInt)),
            ("1e3", Err(Reason::NotAnInt)),
            ("１", Err(Reason::NotAnInt)),
            ("0x1", Err(Reason::NotAnInt)),
        ] {
            assert_eq!(int(text.as_bytes()), expected, "`{text}`");
        }
    }

    #[test]
    fn truth_values() {
        for text in ["true", "TRUE", "t", "Yes", "y", "1", " 1 "] {
            assert_eq!(truth(text.as_bytes()), Ok(true), "`{text}`");
        }
        for text in ["false", "F", "no", "N", "0"] {
            assert_eq!(truth(text.as_bytes()), Ok(false), "`{text}`");
        }
        for text in ["", "2", "ja", "truth"] {
            assert_eq!(truth(text.as_bytes()), Err(Reason::NotABool), "`{text}`");
        }
    }

    #[test]
    fn dates() {
        for (text, expected) in [
            ("1970-01-01", Ok(0)),
            ("19700102", Ok(1)),
            ("1969-12-31", Ok(-1)),
            ("2000-02-29", Ok(11016)),
            ("0001-01-01", Ok(-719162)),
            ("9999-12-31", Ok(2932896)),
            ("1900-02-29", Err(Reason::NotADate)),
            ("2023-04-31", Err(Reason::NotADate)),
            ("2023-13-01", Err(Reason::NotADate)),
            ("2023-00-01", Err(Reason::NotADate)),
            ("0000-01-01", Err(Reason::NotADate)),
            ("2023-1-1", Err(Reason::NotADate)),
            ("2023-0101", Err(Reason::NotADate)),
            ("2023/01/01", Err(Reason::NotADate)),
            ("01.02.2023", Err(Reason::NotADate)),
            ("2023-01-01T00:00", Err(Reason::NotADate)),
            ("", Err(Reason::NotADate)),
        ] {
            assert_eq!(date(text.as_bytes()), expected, "`{text}`");
        }
    }

    #[test]
    fn timestamps() {
        let at = |text: &str| Ok(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
        for (text, expected) in [
            ("2024-02-29T12:34:56Z", at("2024-02-29T12:34:56Z")),
            ("2024-02-29 12:34:56", at("2024-02-29T12:34:56Z")),
            ("2024-02-29T12:34", at("2024-02-29T12:34:00Z")),
            ("2024-02-29", at("2024-02-29T00:00:00Z")),
            ("20240229T12:34:56.5+09:00", at("2024-02-29T03:34:56.5Z")),
            (
                "2024-02-29T12:34:56.123456789-0330",
                at("2024-02-29T16:04:56.123456Z"),
            ),
            ("1950-01-01T00:00:00+09", at("1949-12-31T15:00:00Z")),
            ("2024-02-29T24:00:00", Err(Reason::NotATimestamp)),
            ("2024-02-29T23:59:60", Err(Reason::NotATimestamp)),
            ("2024-02-30T00:00:00", Err(Reason::NotATimestamp)),
            ("2024-02-29T12", Err(Reason::NotATimestamp)),
            ("2024-02-29T12:34:56.", Err(Reason::NotATimestamp)),
            ("2024-02-29T12:34:56+9", Err(Reason::NotATimestamp)),
            ("2024-02-29T12:34:56 JST", Err(Reason::NotATimestamp)),
            ("yesterday", Err(Reason::NotATimestamp)),
        ] {
            assert_eq!(timestamp(text.as_bytes()), expected, "`{text}`");
        }
    }

    #[test]
    fn every_day_of_five_centuries_agrees_with_jiff() {
        let mut day = jiff::civil::date(1700, 1, 1);
        while day.year() < 2200 {
            let days = date(day.to_string().as_bytes()).unwrap();
            let epoch = jiff::civil::date(1970, 1, 1);
            assert_eq!(days, epoch.until(day).unwrap().get_days(), "{day}");
            assert_eq!(first_of_month(days), days - i32::from(day.day()) + 1, "{day}");
            day = day.tomorrow().unwrap();
        }
    }
}
