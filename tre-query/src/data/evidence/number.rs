//! A numeric argument in a group: what closed people have added to it.

use super::EvidenceError;

/// Largest magnitude of a decimal of 38 digits.
const DECIMAL_MAX: u128 = 10_u128.pow(38) - 1;

/// Sum, largest contributions and extremes over people.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Number {
    pub(super) sum: i128,
    pub(super) top: (u128, u128),
    /// Smallest and largest row value, `None` before the first.
    pub(super) range: Option<(Extreme, Extreme)>,
}

/// A smallest or largest value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extreme {
    pub(super) value: i128,
    /// People with a row of it.
    pub(super) units: u64,
}

/// What one person's rows of a group add up to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    pub(super) net: i128,
    pub(super) smallest: i128,
    pub(super) largest: i128,
}

impl Own {
    /// Before the first row: any value is smaller and larger.
    pub(super) const NOTHING: Own = Own {
        net: 0,
        smallest: i128::MAX,
        largest: i128::MIN,
    };

    /// Takes a row.
    ///
    /// # Errors
    /// [`EvidenceError::Overflow`] when the sum leaves 128 bits.
    pub(super) fn add(&mut self, value: i128) -> Result<(), EvidenceError> {
        self.net = self.net.checked_add(value).ok_or(EvidenceError::Overflow)?;
        self.smallest = self.smallest.min(value);
        self.largest = self.largest.max(value);
        Ok(())
    }
}

impl Extreme {
    /// Takes the extreme of other people, where `beats` says which value wins.
    fn take(&mut self, other: Extreme, beats: impl Fn(i128, i128) -> bool) {
        if self.value == other.value {
            self.units += other.units;
        } else if beats(other.value, self.value) {
            *self = other;
        }
    }
}

impl Number {
    /// Takes a person who has at least one row with a value.
    ///
    /// # Errors
    /// [`EvidenceError::Overflow`] when the sum leaves 128 bits.
    pub(super) fn close(&mut self, own: &Own) -> Result<(), EvidenceError> {
        self.sum = self.sum.checked_add(own.net).ok_or(EvidenceError::Overflow)?;
        self.contribute(own.net.unsigned_abs());
        let one = |value| Extreme { value, units: 1 };
        self.extend(one(own.smallest), one(own.largest));
        Ok(())
    }

    /// Takes a number over other people.
    ///
    /// # Errors
    /// [`EvidenceError::Overflow`] when the sum leaves 128 bits.
    pub(super) fn merge(&mut self, other: &Number) -> Result<(), EvidenceError> {
        self.sum = self.sum.checked_add(other.sum).ok_or(EvidenceError::Overflow)?;
        self.contribute(other.top.0);
        self.contribute(other.top.1);
        if let Some((smallest, largest)) = other.range {
            self.extend(smallest, largest);
        }
        Ok(())
    }

    fn contribute(&mut self, net: u128) {
        if net > self.top.0 {
            self.top = (net, self.top.0);
        } else if net > self.top.1 {
            self.top.1 = net;
        }
    }

    fn extend(&mut self, smallest: Extreme, largest: Extreme) {
        match &mut self.range {
            None => self.range = Some((smallest, largest)),
            Some((min, max)) => {
                min.take(smallest, |a, b| a < b);
                max.take(largest, |a, b| a > b);
            }
        }
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
