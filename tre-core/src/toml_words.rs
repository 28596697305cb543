//! What the TOML parser says, for the people who write specs, permits, policies and settings: in one line, and in words that
//! fit what they wrote.

/// What is wrong, without the place.
///
/// The parser takes a bare word that begins with `t` or `f` for a boolean, one with `n` or `i` for a float; whoever forgot the
/// quotes of a text, or wrote a number as a word, meant neither.
pub fn in_words(error: &toml::de::Error) -> String {
    let line = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    let takes_it_for_something = [
        "invalid boolean",
        "invalid number",
        "invalid float",
        "invalid integer",
        "string values must be quoted",
    ];
    if takes_it_for_something.iter().any(|start| line.starts_with(start)) {
        return "this value is neither a number, nor true or false, nor a text in quotes".to_owned();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        toml::from_str::<toml::Table>(text)
            .err()
            .map(|error| in_words(&error))
    }

    #[test]
    fn a_bare_word_is_no_boolean() {
        let expected =
            Some("this value is neither a number, nor true or false, nor a text in quotes".to_owned());
        for text in [
            "minimum = ten",
            "minimum = fewer",
            "minimum = nine",
            "zero = show",
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
        assert_eq!(said("minimum = 10"), None);
    }

    #[test]
    fn everything_else_stays_as_it_is_in_one_line() {
        let said = said("a = 1\na = 2").unwrap_or_default();
        assert!(said.contains("duplicate key") && !said.contains('\n'), "{said}");
    }
}
