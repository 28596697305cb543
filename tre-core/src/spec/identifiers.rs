//! What direct identifiers look like: the shipped patterns by which a column that should not be stored is found.
//!
//! A check digit passes one random number in ten, and a clinic has codes of any length, so one value proves nothing;
//! [`Suspicion`] judges a column by a sample of its *distinct* values: at least [`MIN_VALUES`] of them, and at least
//! half, must look like the same kind of identifier.
//!
//! Sources: My Number check digit, Ordinance of the Ministry of Internal Affairs 85 (2014) article 5; insurer numbers,
//! weights 2, 1 from the right with digit sums (the Luhn rule); medical institution codes, the same rule over all ten
//! digits; phone numbers, the Ministry's numbering plan; NDB's ID1, ID2 and ID5, SHA-256 in hexadecimal digits.

use std::collections::BTreeMap;

/// Fewest distinct values that must look like an identifier before a column is suspected.
pub const MIN_VALUES: usize = 5;

/// Kinds of identifier that values can be recognised as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Individual number (My Number): 12 digits, the last a check digit.
    MyNumber,
    /// Number of an insurer: 8 or 6 digits, the last a check digit.
    Insurer,
    /// Code of a medical institution: 10 digits, the last a check digit.
    Institution,
    /// Phone number.
    Phone,
    /// E-mail address.
    Email,
    /// 256-bit hash in hexadecimal digits.
    Hash,
}

impl Pattern {
    /// In words, plural.
    pub fn describe(self) -> &'static str {
        match self {
            Pattern::MyNumber => "individual numbers (My Number)",
            Pattern::Insurer => "insurer numbers",
            Pattern::Institution => "codes of medical institutions",
            Pattern::Phone => "phone numbers",
            Pattern::Email => "e-mail addresses",
            Pattern::Hash => "hashed identifiers (64 hexadecimal digits)",
        }
    }

    /// What `text` looks like, if anything. Expects identifiers as written: half-width digits, dashes allowed.
    pub fn of(text: &str) -> Option<Pattern> {
        let bytes = text.as_bytes();
        match bytes.len() {
            0..=5 => None,
            64 if bytes.iter().all(u8::is_ascii_hexdigit) => Some(Pattern::Hash),
            6..=20 if bytes.iter().all(|b| b.is_ascii_digit() || b"-+() ".contains(b)) => numeric(bytes),
            6..=254 if is_email(text) => Some(Pattern::Email),
            _ => None,
        }
    }
}

/// Finds columns whose values look like identifiers; feed it distinct values.
#[derive(Debug, Default)]
pub struct Suspicion {
    seen: usize,
    matches: BTreeMap<Pattern, usize>,
}

impl Suspicion {
    /// Takes into account what one distinct value looks like, see [`Pattern::of`].
    pub fn observe(&mut self, look: Option<Pattern>) {
        self.seen += 1;
        if let Some(pattern) = look {
            *self.matches.entry(pattern).or_default() += 1;
        }
    }

    /// The kind of identifier that this column holds, if it does.
    pub fn verdict(&self) -> Option<Pattern> {
        let (pattern, matches) = self.matches.iter().max_by_key(|(_, count)| **count)?;
        (*matches >= MIN_VALUES && *matches * 2 >= self.seen).then_some(*pattern)
    }
}

fn numeric(bytes: &[u8]) -> Option<Pattern> {
    let mut digits = [0u8; 20];
    let mut length = 0;
    for byte in bytes.iter().filter(|b| b.is_ascii_digit()) {
        *digits.get_mut(length)? = byte - b'0';
        length += 1;
    }
    let digits = digits.get(..length)?;
    let separated = length < bytes.len();
    if is_phone(digits, bytes.first() == Some(&b'+')) && (separated || length == 11) {
        return Some(Pattern::Phone);
    }
    match length {
        12 if my_number(digits) => Some(Pattern::MyNumber),
        // What follows is never written with dashes; dates are.
        _ if separated => None,
        10 if luhn(digits) && prefecture(digits.get(..2)?) => Some(Pattern::Institution),
        10 if is_phone(digits, false) => Some(Pattern::Phone),
        8 if luhn(digits) && prefecture(digits.get(2..4)?) => Some(Pattern::Insurer),
        6 if luhn(digits) && prefecture(digits.get(..2)?) => Some(Pattern::Insurer),
        _ => None,
    }
}

/// Check digit of an individual number: 11 - (Σ P·Q mod 11), or 0 where that sum leaves 0 or 1.
fn my_number(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let sum: u32 = body
        .iter()
        .rev()
        .zip(1u32..)
        .map(|(digit, n)| u32::from(*digit) * if n <= 6 { n + 1 } else { n - 5 })
        .sum();
    let rest = sum % 11;
    u32::from(*check) == if rest <= 1 { 0 } else { 11 - rest }
}

/// Weights 1, 2, 1, … from the right, digits of the products added: a multiple of ten.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let product = u32::from(*digit) * if at % 2 == 1 { 2 } else { 1 };
            product / 10 + product % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

fn prefecture(digits: &[u8]) -> bool {
    matches!(digits, [tens, units] if (1..=47).contains(&(tens * 10 + units)))
}

/// Japanese numbers: 0A-BCDE-XXXX (10 digits), 0[25-9]0 and eight more (11 digits); with +81, the zero is left out.
fn is_phone(digits: &[u8], international: bool) -> bool {
    if international {
        return matches!(digits, [8, 1, first, rest @ ..] if *first != 0 && matches!(rest.len(), 8 | 9))
            || (digits.len() >= 9 && digits.first() != Some(&0));
    }
    match digits {
        [0, area, _, rest @ ..] if rest.len() == 7 => *area != 0,
        [0, kind, 0, first, rest @ ..] if rest.len() == 7 => {
            matches!(kind, 2 | 5 | 6 | 7 | 8 | 9) && *first != 0
        }
        _ => false,
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let word = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    !local.is_empty()
        && local.chars().all(word)
        && domain
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
        && domain
            .rsplit_once('.')
            .is_some_and(|(name, top)| !name.is_empty() && top.len() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let cases = [
            ("983205673214", Some(Pattern::MyNumber)),
            ("983205673215", None),
            ("33120015", Some(Pattern::Insurer)),
            ("0110113719", Some(Pattern::Institution)),
            ("090-1234-5678", Some(Pattern::Phone)),
            ("09012345678", Some(Pattern::Phone)),
            ("03-1234-5678", Some(Pattern::Phone)),
            ("+81 90 1234 5678", Some(Pattern::Phone)),
            ("0000-00-0000", None),
            ("2024-01-31", None),
            ("a.b@example.jp", Some(Pattern::Email)),
            ("a@b", None),
            ("@example.jp", None),
            (
                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                Some(Pattern::Hash),
            ),
            ("C34.1", None),
            ("38000177", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Pattern::of(text), expected, "`{text}`");
        }
    }

    #[test]
    fn one_code_in_ten_does_not_make_a_column_of_identifiers() {
        let mut random = Suspicion::default();
        (0..1000u32).for_each(|n| {
            random.observe(Pattern::of(&format!(
                "{:012}",
                u64::from(n) * 7_919_993 + 100_000_000_000
            )))
        });
        assert_eq!(random.verdict(), None);
    }

    #[test]
    fn half_the_values_do_and_four_values_do_not() {
        let mail = |n: usize| format!("p{n}@example.org");
        let mut half = Suspicion::default();
        (0..10).for_each(|n| half.observe(Pattern::of(&mail(n))));
        (0..10).for_each(|n| half.observe(Pattern::of(&format!("word {n}"))));
        assert_eq!(half.verdict(), Some(Pattern::Email));
        half.observe(Pattern::of("one more word"));
        assert_eq!(half.verdict(), None);
        let mut few = Suspicion::default();
        (0..4).for_each(|n| few.observe(Pattern::of(&mail(n))));
        assert_eq!(few.verdict(), None);
    }
}
