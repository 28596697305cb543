//! The one encoding of a row: it is what is sorted, what is hashed into the version id, and what is decoded into the
//! files. It is ours and stable: changing it changes every version id.
//!
//! A private table's row begins with the 16 bytes of its unit's linkage key. Then the cells follow in the order of the
//! stored columns (entities first). A cell that is NULL is the byte 00; otherwise
//!
//! | type | bytes |
//! |---|---|
//! | int, decimal (unscaled), date (days), timestamp (µs) | 80 + n, then the n bytes of the number, shortest, big-endian; negative: 80 - n, then the bytes of its magnitude, inverted |
//! | bool | 01 false, 02 true |
//! | text | 01, UTF-8 without NUL, 00 |
//! | entity | 01, 16 bytes of the entity's linkage key |
//!
//! Comparing two rows byte by byte therefore orders them by unit and then by all columns, NULLs first, numbers by value,
//! text by code point. No row is the beginning of another, so a sequence of rows can be read back without lengths.

use tre_home::vault::Link;

const NULL: u8 = 0x00;
const ZERO: u8 = 0x80;
const PRESENT: u8 = 0x01;
const FALSE: u8 = 0x01;
const TRUE: u8 = 0x02;

/// Bytes of a linkage key at the start of a private row.
pub(crate) const UNIT_BYTES: usize = 16;

pub(crate) fn put_null(out: &mut Vec<u8>) {
    out.push(NULL);
}

pub(crate) fn put_number(value: i128, out: &mut Vec<u8>) {
    if let Ok(small) = i64::try_from(value) {
        let magnitude = small.unsigned_abs();
        let length = 8 - (magnitude.leading_zeros() / 8) as usize;
        put_magnitude(value < 0, &magnitude.to_be_bytes(), length, out);
    } else {
        let magnitude = value.unsigned_abs();
        let length = 16 - (magnitude.leading_zeros() / 8) as usize;
        put_magnitude(value < 0, &magnitude.to_be_bytes(), length, out);
    }
}

fn put_magnitude(negative: bool, bytes: &[u8], length: usize, out: &mut Vec<u8>) {
    let bytes = bytes.get(bytes.len() - length..).unwrap_or_default();
    if negative {
        out.push(ZERO - length as u8);
        out.extend(bytes.iter().map(|b| !b));
    } else {
        out.push(ZERO + length as u8);
        out.extend_from_slice(bytes);
    }
}

pub(crate) fn put_bool(value: bool, out: &mut Vec<u8>) {
    out.push(if value { TRUE } else { FALSE });
}

/// `text` must not hold NUL.
pub(crate) fn put_text(text: &str, out: &mut Vec<u8>) {
    out.push(PRESENT);
    out.extend_from_slice(text.as_bytes());
    out.push(NULL);
}

pub(crate) fn put_link(link: &Link, out: &mut Vec<u8>) {
    out.push(PRESENT);
    out.extend_from_slice(link);
}

/// Reads cells off an encoded row. Every call takes one cell; the outer `None` means that the bytes are not a row.
pub(crate) struct Cells<'a>(pub(crate) &'a [u8]);

impl<'a> Cells<'a> {
    pub(crate) fn number(&mut self) -> Option<Option<i128>> {
        let (tag, rest) = self.0.split_first()?;
        if *tag == NULL {
            self.0 = rest;
            return Some(None);
        }
        let (negative, length) = if *tag < ZERO {
            (true, ZERO - tag)
        } else {
            (false, tag - ZERO)
        };
        let (bytes, rest) = rest.split_at_checked(usize::from(length))?;
        let mut magnitude: u128 = 0;
        for byte in bytes {
            magnitude = (magnitude << 8) | u128::from(if negative { !byte } else { *byte });
        }
        self.0 = rest;
        let value = i128::try_from(magnitude).ok()?;
        Some(Some(if negative { -value } else { value }))
    }

    pub(crate) fn bool(&mut self) -> Option<Option<bool>> {
        let (tag, rest) = self.0.split_first()?;
        self.0 = rest;
        match *tag {
            NULL => Some(None),
            FALSE => Some(Some(false)),
            TRUE => Some(Some(true)),
            _ => None,
        }
    }

    pub(crate) fn text(&mut self) -> Option<Option<&'a str>> {
        let (tag, rest) = self.0.split_first()?;
        if *tag == NULL {
            self.0 = rest;
            return Some(None);
        }
        let end = rest.iter().position(|b| *b == NULL)?;
        let (bytes, after) = rest.split_at_checked(end)?;
        self.0 = after.get(1..)?;
        std::str::from_utf8(bytes).ok().map(Some)
    }

    pub(crate) fn link(&mut self) -> Option<Option<Link>> {
        let (tag, rest) = self.0.split_first()?;
        if *tag == NULL {
            self.0 = rest;
            return Some(None);
        }
        let (link, rest) = rest.split_first_chunk::<16>()?;
        self.0 = rest;
        Some(Some(*link))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn number(value: Option<i128>) -> Vec<u8> {
        let mut out = Vec::new();
        match value {
            None => put_null(&mut out),
            Some(value) => put_number(value, &mut out),
        }
        out
    }

    #[test]
    fn numbers_sort_by_value_and_read_back() {
        let max = 10i128.pow(38) - 1;
        let mut values = vec![
            None,
            Some(-max),
            Some(max),
            Some(0),
            Some(i64::MIN.into()),
            Some(i64::MAX.into()),
        ];
        for shift in 0..120 {
            for near in [-1, 0, 1] {
                values.extend([Some((1i128 << shift) + near), Some(near - (1i128 << shift))]);
            }
        }
        values.sort();
        values.dedup();
        let encoded: Vec<_> = values.iter().map(|v| number(*v)).collect();
        assert!(encoded.is_sorted_by(|a, b| a < b));
        for (value, bytes) in values.iter().zip(&encoded) {
            let mut cells = Cells(bytes);
            assert_eq!(cells.number().unwrap(), *value);
            assert!(cells.0.is_empty());
        }
    }

    #[test]
    fn texts_sort_by_code_point_and_do_not_run_into_the_next_cell() {
        let row = |left: &str, right: &str| {
            let mut out = Vec::new();
            put_text(left, &mut out);
            put_text(right, &mut out);
            out
        };
        assert!(row("a", "z") < row("ab", ""));
        assert!(row("a", "") < row("a", "a"));
        assert!(row("", "b") < row("\u{1}", "a"));
        assert_ne!(row("a", "bc"), row("ab", "c"));
        let bytes = row("日本", "");
        let mut cells = Cells(&bytes);
        assert_eq!(cells.text(), Some(Some("日本")));
        assert_eq!(cells.text(), Some(Some("")));
        assert_eq!(cells.text(), None);
    }

    /// The version id depends on these bytes.
    #[test]
    fn the_encoding_is_fixed() {
        let mut out = Vec::new();
        put_number(1, &mut out);
        put_number(-256, &mut out);
        put_number(0, &mut out);
        put_null(&mut out);
        put_bool(true, &mut out);
        put_text("é", &mut out);
        put_link(&[7; 16], &mut out);
        let mut expected = vec![0x81, 1, 0x7e, 0xfe, 0xff, 0x80, 0, 2, 1, 0xc3, 0xa9, 0, 1];
        expected.extend([7; 16]);
        assert_eq!(out, expected);
        let mut cells = Cells(&out);
        assert_eq!(
            (cells.number(), cells.number(), cells.number()),
            (Some(Some(1)), Some(Some(-256)), Some(Some(0)))
        );
        assert_eq!(
            (cells.number(), cells.bool(), cells.text()),
            (Some(None), Some(Some(true)), Some(Some("é")))
        );
        assert_eq!((cells.link(), cells.link()), (Some(Some([7; 16])), None));
    }
}
