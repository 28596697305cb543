//! A numeric argument in a group: its sum, the largest contributions, the smallest and largest value.

use super::EvidenceError;

/// Largest magnitude of a decimal of 38 digits.
const DECIMAL_MAX: u128 = 10_u128.pow(38) - 1;

/// A numeric argument in a group.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Number {
    pub(super) sum: i128,
    /// Net contribution of the open unit.
    pub(super) open: i128,
    pub(super) top: (u128, u128),
    /// Smallest and largest row value, `None` before the first.
    pub(super) range: Option<(Extreme, Extreme)>,
}

/// A smallest or largest value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extreme {
    pub(super) value: i128,
    /// Units with a row of it.
    pub(super) units: u64,
    /// The last of them, plus one.
    last: u64,
}

impl Extreme {
    fn of(value: i128, unit: u64) -> Self {
        Extreme {
            value,
            units: 1,
            last: unit,
        }
    }

    /// Takes a value of a unit, where `beats` says which value wins.
    fn take(&mut self, value: i128, unit: u64, beats: impl Fn(i128, i128) -> bool) {
        if beats(value, self.value) {
            *self = Extreme::of(value, unit);
        } else if value == self.value && self.last != unit {
            self.units += 1;
            self.last = unit;
        }
    }

    /// Of two sets of people.
    fn merge(self, other: Extreme, beats: impl Fn(i128, i128) -> bool) -> Extreme {
        if self.value == other.value {
            Extreme {
                units: self.units + other.units,
                ..self
            }
        } else if beats(self.value, other.value) {
            self
        } else {
            other
        }
    }
}

fn smaller(a: i128, b: i128) -> bool {
    a < b
}

fn larger(a: i128, b: i128) -> bool {
    a > b
}

impl Number {
    pub(super) fn add(&mut self, value: i128, unit: u64) -> Result<(), EvidenceError> {
        self.sum = self.sum.checked_add(value).ok_or(EvidenceError::Overflow)?;
        self.open = self.open.checked_add(value).ok_or(EvidenceError::Overflow)?;
        match &mut self.range {
            None => self.range = Some((Extreme::of(value, unit), Extreme::of(value, unit))),
            Some((min, max)) => {
                min.take(value, unit, smaller);
                max.take(value, unit, larger);
            }
        }
        Ok(())
    }

    pub(super) fn contribute(&mut self, net: u128) {
        if net > self.top.0 {
            self.top = (net, self.top.0);
        } else if net > self.top.1 {
            self.top.1 = net;
        }
    }

    pub(super) fn merge(&mut self, other: &Number) -> Result<(), EvidenceError> {
        self.sum = self.sum.checked_add(other.sum).ok_or(EvidenceError::Overflow)?;
        self.contribute(other.top.0);
        self.contribute(other.top.1);
        self.range = match (self.range, other.range) {
            (Some((a, b)), Some((c, d))) => Some((a.merge(c, smaller), b.merge(d, larger))),
            (range, None) | (None, range) => range,
        };
        Ok(())
    }
}

/// A magnitude as a decimal of 38 digits.
///
/// # Errors
/// [`EvidenceError::Overflow`] beyond them.
pub(super) fn decimal(magnitude: u128) -> Result<i128, EvidenceError> {
    if magnitude > DECIMAL_MAX {
        return Err(EvidenceError::Overflow);
    }
    i128::try_from(magnitude).map_err(|_| EvidenceError::Overflow)
}

/// A sum as a decimal of 38 digits.
///
/// # Errors
/// [`EvidenceError::Overflow`] beyond them.
pub(super) fn signed_decimal(sum: i128) -> Result<i128, EvidenceError> {
    decimal(sum.unsigned_abs()).map(|_| sum)
}
