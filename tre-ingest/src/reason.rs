//! Why a row was rejected: a fixed list, so that a report can count and never repeats a value.

use serde::Serialize;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $say:literal;)*) => {
        /// Class of a rejected row. Numbers and texts are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $name = $number,)* }

        impl Reason {
            /// All classes.
            pub const ALL: &[Reason] = &[$(Reason::$name),*];

            /// Stable text, e.g. `not-a-date`; the same as in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Reason::$name => $text),* }
            }

            /// What is wrong, for people.
            pub fn describe(self) -> &'static str {
                match self { $(Reason::$name => $say),* }
            }
        }
    };
}

reasons! {
    /// More or fewer fields than the header.
    WrongWidth = 1, "wrong-width", "the record has more or fewer fields than the header";
    /// Text after a closing quote.
    BadQuotes = 2, "bad-quotes", "text follows a closing quote";
    /// Not UTF-8, or a NUL byte.
    NotText = 3, "not-text", "the bytes are not UTF-8 text (or hold NUL)";
    /// Not an integer.
    NotAnInt = 4, "not-an-int", "not a whole number";
    /// Not a number.
    NotANumber = 5, "not-a-number", "not a number";
    /// A decimal with more places than its scale.
    TooManyPlaces = 6, "too-many-places", "more decimal places than the spec keeps";
    /// A number that does not fit.
    TooLarge = 7, "too-large", "the number is too large";
    /// Neither true nor false.
    NotABool = 8, "not-a-bool", "neither true nor false";
    /// Not a date.
    NotADate = 9, "not-a-date", "not an ISO 8601 date";
    /// Not a timestamp.
    NotATimestamp = 10, "not-a-timestamp", "not an ISO 8601 date and time";
    /// No value in the unit's column.
    NoUnit = 11, "no-unit", "the unit is missing";
    /// The unit is not of its canonical form.
    BadUnit = 12, "bad-unit", "the unit is not of the form that `canon` asks for";
    /// The entity cannot be read.
    BadEntity = 13, "bad-entity", "the entity is not text or a whole number";
    /// Not one of the declared values.
    NotInValues = 14, "not-in-values", "not one of the declared `values`";
    /// Under the first band.
    BelowBands = 15, "below-bands", "below the first of the `bands`";
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn json_and_text_agree_and_numbers_are_unique() {
        let mut numbers = std::collections::BTreeSet::new();
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert!(numbers.insert(*reason as u8));
        }
    }
}
