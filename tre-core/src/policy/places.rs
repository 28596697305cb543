//! Numbers of a policy with at most two decimal places, held as whole hundredths so that what is computed from them is
//! exact.

use std::fmt;
use std::ops::RangeInclusive;

use serde::Serializer;
use serde::de::{Error, Visitor};

/// The hundredths of a number, if it has no more decimal places than that and they are within the range.
pub(super) fn hundredths(number: f64, range: RangeInclusive<u32>) -> Option<u32> {
    let hundredths = number * 100.0;
    let whole = hundredths.round();
    // A literal of two decimal places, a hundred times, is off its whole number by some 10⁻¹² at most.
    let near = (hundredths - whole).abs() < 1e-6;
    (near && (f64::from(*range.start())..=f64::from(*range.end())).contains(&whole)).then_some(whole as u32)
}

/// Writes hundredths as the number that they are.
pub(super) fn serialize<S: Serializer>(hundredths: u32, serializer: S) -> Result<S::Ok, S::Error> {
    if hundredths.is_multiple_of(100) {
        serializer.serialize_u32(hundredths / 100)
    } else {
        serializer.serialize_f64(f64::from(hundredths) / 100.0)
    }
}

/// Writes hundredths for people, without decimal places that are zero.
pub(super) fn show(hundredths: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match (rest, rest % 10) {
        (0, _) => write!(f, "{whole}"),
        (_, 0) => write!(f, "{whole}.{}", rest / 10),
        (_, _) => write!(f, "{whole}.{rest:02}"),
    }
}

/// Reads a number that is written with or without decimal places.
pub(super) struct Number<T> {
    pub(super) expecting: &'static str,
    pub(super) of: fn(f64) -> Result<T, String>,
}

impl<T> Visitor<'_> for Number<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        // What is too large for 32 bits is outside of every range.
        let number = i32::try_from(number).unwrap_or(-1);
        (self.of)(f64::from(number)).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(-1))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        (self.of)(number).map_err(E::custom)
    }
}
