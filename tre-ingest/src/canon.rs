//! One spelling per identifier, before it is hashed. Linkage fails by spaces, full-width digits and dashes, not by the
//! hash, so the rules are fixed here, by name, and tested as a table. NFKC alone is not enough: it keeps four kinds of
//! dash apart and leaves spaces and leading zeros where they are.
//!
//! The form of Japanese members is that of JP Core: insurer (8 digits, zero-padded), symbol, number, branch (2 digits or
//! empty), joined by colons.

use std::borrow::Cow;

use tre_core::spec::Canon;
use unicode_normalization::UnicodeNormalization;

use crate::reason::Reason;

/// Appends the canonical form of `text` to `out`. An identifier that is empty in canonical form is missing.
pub(crate) fn canonicalise(canon: Canon, text: &str, out: &mut String) -> Result<(), Reason> {
    let start = out.len();
    match canon {
        Canon::Text => plain(text, out),
        Canon::Digits => digits(text, out)?,
        Canon::JpMemberId => jp_member_id(text, out)?,
    }
    if out.len() == start {
        Err(Reason::NoUnit)
    } else {
        Ok(())
    }
}

/// Dashes as people type them; the long-vowel mark among them, since it stands between digits as often.
fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' | '\u{2043}' | '\u{FE58}'
    )
}

/// NFKC with one kind of dash.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.nfkc().map(|c| if is_dash(c) { '-' } else { c })
}

fn plain(text: &str, out: &mut String) {
    let simple = |b: u8| b.is_ascii_graphic();
    if text.bytes().all(simple) {
        out.push_str(text);
        return;
    }
    let start = out.len();
    for c in folded(text) {
        if !c.is_whitespace() {
            out.push(c);
        } else if out.len() > start && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    if out.len() > start && out.ends_with(' ') {
        out.pop();
    }
}

fn digits(text: &str, out: &mut String) -> Result<(), Reason> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        push_without_leading_zeros(text, out);
        return Ok(());
    }
    let mut kept = String::new();
    for c in folded(text) {
        match c {
            '0'..='9' => kept.push(c),
            '-' => {}
            c if c.is_whitespace() => {}
            _ => return Err(Reason::BadUnit),
        }
    }
    push_without_leading_zeros(&kept, out);
    Ok(())
}

/// A number of zeros only is the number zero.
fn push_without_leading_zeros(digits: &str, out: &mut String) {
    let trimmed = digits.trim_start_matches('0');
    out.push_str(if trimmed.is_empty() && !digits.is_empty() {
        "0"
    } else {
        trimmed
    });
}

fn jp_member_id(text: &str, out: &mut String) -> Result<(), Reason> {
    let plain = text.bytes().all(|b| b.is_ascii_graphic());
    let folded: Cow<'_, str> = if plain {
        Cow::Borrowed(text)
    } else {
        folded(text)
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
            .into()
    };
    if folded.is_empty() {
        return Ok(());
    }
    let mut parts = folded.split(':');
    let (Some(insurer), Some(symbol), Some(number)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Reason::BadUnit);
    };
    let branch = parts.next().unwrap_or("");
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let insurer_ok = (1..=8).contains(&insurer.len()) && is_number(insurer);
    let branch_ok = branch.len() <= 2 && is_number(branch);
    if !insurer_ok || !branch_ok || number.is_empty() || parts.next().is_some() {
        return Err(Reason::BadUnit);
    }
    push_padded(insurer, 8, out);
    out.extend([":", symbol, ":", number, ":"]);
    if !branch.is_empty() {
        push_padded(branch, 2, out);
    }
    Ok(())
}

fn push_padded(digits: &str, width: usize, out: &mut String) {
    (digits.len()..width).for_each(|_| out.push('0'));
    out.push_str(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_table() {
        let cases: &[(Canon, &str, Result<&str, Reason>)] = &[
            (Canon::Text, "A-17", Ok("A-17")),
            (Canon::Text, "  A-17\t", Ok("A-17")),
            (Canon::Text, "Ａ－１７", Ok("A-17")),
            (Canon::Text, "A−17", Ok("A-17")),
            (Canon::Text, "A–17", Ok("A-17")),
            (Canon::Text, "A‐17", Ok("A-17")),
            (Canon::Text, "ー１７", Ok("-17")),
            (Canon::Text, "ﾔﾏﾀﾞ\u{3000}ﾀﾛｳ", Ok("ヤマダ タロウ")),
            (Canon::Text, "ヤマダ  タロウ", Ok("ヤマダ タロウ")),
            (Canon::Text, "a17", Ok("a17")),
            (Canon::Text, "", Err(Reason::NoUnit)),
            (Canon::Text, " \u{3000}", Err(Reason::NoUnit)),
            (Canon::Digits, "007", Ok("7")),
            (Canon::Digits, "7", Ok("7")),
            (Canon::Digits, "０１２３", Ok("123")),
            (Canon::Digits, "12 34-56", Ok("123456")),
            (Canon::Digits, "000", Ok("0")),
            (Canon::Digits, "12a", Err(Reason::BadUnit)),
            (Canon::Digits, "1.5", Err(Reason::BadUnit)),
            (Canon::Digits, "-", Err(Reason::NoUnit)),
            (Canon::Digits, "", Err(Reason::NoUnit)),
            (
                Canon::JpMemberId,
                "06123456:12-3:456:01",
                Ok("06123456:12-3:456:01"),
            ),
            (
                Canon::JpMemberId,
                "０６１２３４５６：１２－３：４５６：１",
                Ok("06123456:12-3:456:01"),
            ),
            (Canon::JpMemberId, "123456:記号:456:", Ok("00123456:記号:456:")),
            (Canon::JpMemberId, "123456::456", Ok("00123456::456:")),
            (
                Canon::JpMemberId,
                " 123456 : ｱ : 456 : 02 ",
                Ok("00123456:ア:456:02"),
            ),
            (Canon::JpMemberId, "123456:記号::01", Err(Reason::BadUnit)),
            (Canon::JpMemberId, ":記号:456:01", Err(Reason::BadUnit)),
            (Canon::JpMemberId, "123456789:1:2:", Err(Reason::BadUnit)),
            (Canon::JpMemberId, "12345:1:2:003", Err(Reason::BadUnit)),
            (Canon::JpMemberId, "12345:1:2:x", Err(Reason::BadUnit)),
            (Canon::JpMemberId, "12345", Err(Reason::BadUnit)),
            (Canon::JpMemberId, "1:2:3:4:5", Err(Reason::BadUnit)),
            (Canon::JpMemberId, "", Err(Reason::NoUnit)),
        ];
        for (canon, text, expected) in cases {
            let mut out = String::new();
            let result = canonicalise(*canon, text, &mut out);
            assert_eq!(result.map(|()| out.as_str()), *expected, "{canon:?} `{text}`");
        }
    }

    #[test]
    fn canonical_forms_are_fixed_points() {
        for (canon, text) in [
            (Canon::Text, "ﾔﾏﾀﾞ  ﾀﾛｳ"),
            (Canon::Digits, "00１２"),
            (Canon::JpMemberId, "１２３４５６:ｱ:4:1"),
        ] {
            let (mut once, mut twice) = (String::new(), String::new());
            assert_eq!(canonicalise(canon, text, &mut once), Ok(()));
            assert_eq!(canonicalise(canon, &once, &mut twice), Ok(()));
            assert_eq!(once, twice);
        }
    }
}
