//! Amounts of memory as people write them: `2 GiB`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount of memory in bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9]+ ?(B|KiB|MiB|GiB|TiB)$", "examples" = ["2 GiB"]))]
pub struct ByteSize(u64);

/// A text that names no amount of memory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount of memory: write a whole number and B, KiB, MiB, GiB or TiB, e.g. `2 GiB`")]
pub struct InvalidSize(String);

const UNITS: [(&str, u32); 5] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

impl ByteSize {
    /// So many bytes.
    pub const fn bytes(bytes: u64) -> Self {
        ByteSize(bytes)
    }

    /// In bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = InvalidSize;
    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let invalid = || InvalidSize(text.chars().take(40).collect());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or_else(invalid)?;
        let unit = unit.strip_prefix(' ').unwrap_or(unit);
        let (_, shift) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(invalid)?;
        let number: u64 = number.parse().map_err(|_| invalid())?;
        number.checked_mul(1 << shift).map(ByteSize).ok_or_else(invalid)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |shift: u32| self.0 != 0 && self.0.trailing_zeros() >= shift;
        let (name, shift) = UNITS
            .into_iter()
            .find(|(_, shift)| fits(*shift))
            .unwrap_or(("B", 0));
        write!(f, "{} {name}", self.0 >> shift)
    }
}

impl TryFrom<String> for ByteSize {
    type Error = InvalidSize;
    fn try_from(text: String) -> Result<Self, InvalidSize> {
        text.parse()
    }
}

impl From<ByteSize> for String {
    fn from(size: ByteSize) -> String {
        size.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn sizes_are_read_and_written_back() {
        for (text, bytes, back) in [
            ("2 GiB", 2 << 30, "2 GiB"),
            ("512MiB", 512 << 20, "512 MiB"),
            ("1024 KiB", 1 << 20, "1 MiB"),
            ("7 B", 7, "7 B"),
            ("0 B", 0, "0 B"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.get(), size.to_string().as_str()), (bytes, back));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "2",
            "GiB",
            "2 GB",
            "2  GiB",
            "-1 B",
            "1.5 GiB",
            "2 gib",
            "99999999999 TiB",
            "２ GiB",
        ] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }
}
