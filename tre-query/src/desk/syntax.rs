//! What the SQL parser says, in words for the analyst: where, what it expected and what stands there instead.

use datafusion::sql::sqlparser::parser::ParserError;

use tre_core::codes::{self, Problem};

/// Longest message of the parser that is told, in characters: it may quote the text.
const MAX_MESSAGE: usize = 400;

/// A parser's error. A place is told as line and column, both from 1, counted in characters; `before` is how many
/// characters stand in line 1 before the analyst's own text begins. An end that comes too early has no place.
pub(super) fn syntax_problem(error: &ParserError, before: u64) -> Problem {
    let said = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => {
            return Problem::new(
                &codes::SQL_SYNTAX,
                "parentheses or subqueries stand too deep within each other",
                "write it flatter, e.g. with subqueries named by WITH",
            );
        }
    };
    let (message, place) = placed(said);
    let message: String = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_MESSAGE)
        .collect();
    let place = place.map(|(line, column)| {
        let column = if line == 1 {
            column.saturating_sub(before)
        } else {
            column
        };
        format!("line {line}, column {column}: ")
    });
    let what = format!("{}{}", place.unwrap_or_default(), plain(&message));
    Problem::of(&codes::SQL_SYNTAX, what)
}

/// The parser ends a message with ` at Line: 1, Column: 8`, where it knows the place.
fn placed(said: &str) -> (&str, Option<(u64, u64)>) {
    let found = said.rsplit_once(" at Line: ").and_then(|(message, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((message, (line.parse().ok()?, column.parse().ok()?)))
    });
    found.map_or((said, None), |(message, place)| (message, Some(place)))
}

/// `Expected: an expression, found: )` as people say it.
fn plain(message: &str) -> String {
    let parts = message
        .strip_prefix("Expected: ")
        .and_then(|rest| rest.rsplit_once(", found: "));
    match parts {
        Some((expected, "EOF")) => format!("expected {expected}, found the end of the text"),
        Some((expected, found)) => format!("expected {expected}, found `{found}`"),
        None => {
            let mut letters = message.chars();
            let first = letters.next().into_iter().flat_map(char::to_lowercase);
            first.chain(letters).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parsers_words_become_the_analysts() {
        for (said, before, told) in [
            (
                "Expected: an expression, found: ) at Line: 1, Column: 8",
                0,
                "line 1, column 8: expected an expression, found `)`",
            ),
            (
                "Expected: end of statement, found: at Line: 2, Column: 1 at Line: 3, Column: 9",
                7,
                "line 3, column 9: expected end of statement, found `at Line: 2, Column: 1`",
            ),
            (
                "Expected: an expression, found: EOF",
                0,
                "expected an expression, found the end of the text",
            ),
            (
                "Unterminated string literal at Line: 1, Column: 20",
                15,
                "line 1, column 5: unterminated string literal",
            ),
            ("Odd\nthing at Line: here", 0, "odd thing at Line: here"),
        ] {
            let problem = syntax_problem(&ParserError::ParserError(said.to_owned()), before);
            assert_eq!((problem.code.id, problem.what.as_str()), ("TRE-SQL-001", told));
        }
        let long = "x".repeat(MAX_MESSAGE * 2);
        let problem = syntax_problem(&ParserError::TokenizerError(long), 0);
        assert_eq!(problem.what.chars().count(), MAX_MESSAGE);
    }
}
