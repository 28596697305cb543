//! The gate: what a text must be before it is planned.
//!
//! Limits come first, on tokens: planning cannot be cancelled, and long flat chains overflow the planner's stack
//! (20,000 terms abort the process). Then exactly one SELECT is let through.

use datafusion::error::DataFusionError;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use tre_core::codes::{self, Problem};

use super::syntax::syntax_problem;

/// Longest text, in bytes.
const MAX_BYTES: usize = 256 << 10;
/// Most tokens.
const MAX_TOKENS: usize = 20_000;
/// Most binary operators, AND and OR among them.
const MAX_OPERATORS: usize = 1_000;
/// Most UNION, EXCEPT, INTERSECT.
const MAX_SET_OPERATIONS: usize = 50;
/// Most FROM and JOIN.
const MAX_RELATIONS: usize = 100;
/// Longest literal, in bytes.
const MAX_LITERAL: usize = 64 << 10;
/// Deepest parentheses and subqueries, sqlparser's own limit.
const MAX_RECURSION: usize = 50;

/// Admits a text as one SELECT; `?` placeholders become `$1`, `$2`, … in the order in which they stand.
///
/// # Errors
/// A [`Problem`] when the text is too large, is not SQL, or is anything else than one SELECT.
pub(super) fn admit(sql: &str) -> Result<Statement, Problem> {
    admit_after(0, sql)
}

/// Judges a condition by the same rules; places in messages are places of the condition.
///
/// # Errors
/// As [`admit`] of a SELECT with this condition.
pub(super) fn admit_condition(condition: &str) -> Result<(), Problem> {
    const BEFORE: &str = "SELECT 1 WHERE ";
    admit_after(BEFORE.len() as u64, &format!("{BEFORE}{condition}")).map(|_| ())
}

/// The analyst's own text begins after so many characters.
fn admit_after(before: u64, sql: &str) -> Result<Statement, Problem> {
    if sql.len() > MAX_BYTES {
        return Err(too_large(format!(
            "the query has {} bytes, more than {MAX_BYTES}",
            sql.len()
        )));
    }
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, sql)
        .tokenize_with_location()
        .map_err(|error| syntax_problem(&ParserError::from(error), before))?;
    let tokens = number_placeholders(limit(tokens)?)?;
    let mut statements = DFParserBuilder::new(tokens)
        .with_dialect(&dialect)
        .with_recursion_limit(MAX_RECURSION)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| match error.find_root() {
            DataFusionError::SQL(parser, _) => syntax_problem(parser, before),
            other => Problem::of(&codes::SQL_SYNTAX, super::session::first_line(other)),
        })?;
    let statement = match (statements.pop_front(), statements.is_empty()) {
        (Some(statement), true) => statement,
        (None, _) => {
            return Err(Problem::of(
                &codes::SQL_NOT_A_QUERY,
                "the text holds no statement",
            ));
        }
        (Some(_), false) => {
            return Err(Problem::of(
                &codes::SQL_NOT_A_QUERY,
                "the text holds more than one statement",
            ));
        }
    };
    match &statement {
        Statement::Statement(inner) if matches!(inner.as_ref(), ast::Statement::Query(_)) => Ok(statement),
        other => {
            let text = other.to_string();
            let word = text.split_whitespace().next().unwrap_or("this").to_uppercase();
            Err(Problem::of(
                &codes::SQL_NOT_A_QUERY,
                format!("`{word}` is not a SELECT"),
            ))
        }
    }
}

fn too_large(what: String) -> Problem {
    Problem::of(&codes::SQL_TOO_LARGE, what)
}

/// Refuses texts whose planning could overflow or stall.
fn limit(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, Problem> {
    let (mut count, mut operators, mut sets, mut relations) = (0, 0, 0, 0);
    for token in &tokens {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::Word(word) => match word.keyword {
                Keyword::AND | Keyword::OR | Keyword::NOT => operators += 1,
                Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => sets += 1,
                Keyword::FROM | Keyword::JOIN => relations += 1,
                _ => {}
            },
            Token::SingleQuotedString(text) | Token::Number(text, _) => {
                if text.len() > MAX_LITERAL {
                    return Err(too_large(format!(
                        "a literal has {} bytes, more than {MAX_LITERAL}",
                        text.len()
                    )));
                }
            }
            Token::Comma | Token::LParen | Token::RParen | Token::Period | Token::SemiColon | Token::EOF => {}
            _ => operators += 1,
        }
        count += 1;
    }
    for (what, found, most) in [
        ("tokens", count, MAX_TOKENS),
        ("operators", operators, MAX_OPERATORS),
        ("set operations", sets, MAX_SET_OPERATIONS),
        ("tables and joins", relations, MAX_RELATIONS),
    ] {
        if found > most {
            return Err(too_large(format!(
                "the query has {found} {what}, more than {most}"
            )));
        }
    }
    Ok(tokens)
}

/// JDBC and ADBC users write `?`; the planner knows `$n`.
fn number_placeholders(mut tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, Problem> {
    let (mut anonymous, mut numbered) = (0, false);
    for token in &mut tokens {
        if let Token::Placeholder(text) = &mut token.token {
            if text == "?" {
                anonymous += 1;
                *text = format!("${anonymous}");
            } else if text
                .strip_prefix('$')
                .is_some_and(|n| n.parse::<u16>().is_ok_and(|n| n > 0))
            {
                numbered = true;
            } else {
                return Err(Problem::new(
                    &codes::SQL_PARAMETERS,
                    format!("`{text}` is not a placeholder"),
                    "write `?`, or `$1`, `$2`, …",
                ));
            }
        }
    }
    if anonymous > 0 && numbered {
        return Err(Problem::new(
            &codes::SQL_PARAMETERS,
            "placeholders are written both as `?` and as `$n`",
            "use one of the two",
        ));
    }
    Ok(tokens)
}
