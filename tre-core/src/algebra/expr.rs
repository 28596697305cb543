//! Expressions below the frontier: typed, total, allow-listed.

use serde::{Deserialize, Serialize};

use crate::types::{ColumnType, Value};

/// An expression over the columns of a node, by position.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// A column of the input.
    Column(usize),
    /// A constant.
    Literal(Value),
    /// SQL comparison; NULL when a side is NULL. Both sides are of one type (decimals of any scales).
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// Three-valued AND.
    And(Box<Expr>, Box<Expr>),
    /// Three-valued OR.
    Or(Box<Expr>, Box<Expr>),
    /// Three-valued NOT.
    Not(Box<Expr>),
    /// `IS NULL`; `IS NOT NULL` is its negation.
    IsNull(Box<Expr>),
    /// Integer or decimal arithmetic; NULL on overflow and on division by zero.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `x IN (…)` over constants of x's type.
    InList(Box<Expr>, Vec<Value>),
    /// SQL `LIKE` with a constant pattern; `%` and `_`, escape `\`.
    Like {
        /// Text to match.
        input: Box<Expr>,
        /// The pattern.
        pattern: String,
        /// `ILIKE`.
        case_insensitive: bool,
    },
    /// Conversion; NULL where the value has no counterpart.
    Cast(Box<Expr>, ColumnType),
    /// A function of the allow-list.
    Call(Function, Vec<Expr>),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `=`
    Eq,
    /// `<>`
    NotEq,
    /// `<`
    Lt,
    /// `<=`
    LtEq,
    /// `>`
    Gt,
    /// `>=`
    GtEq,
}

/// Arithmetic operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// `+`; scale of the result: the larger of the two.
    Add,
    /// `-`; scale as for `+`.
    Subtract,
    /// `*`; scale of the result: the sum of the two.
    Multiply,
    /// `/` of integers, truncated towards zero.
    Divide,
    /// `%` of integers, sign of the dividend.
    Modulo,
}

/// Functions of the allow-list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// `lower(text)`
    Lower,
    /// `upper(text)`
    Upper,
    /// `trim(text)`, blanks at both ends
    Trim,
    /// `char_length(text)` in characters
    CharLength,
    /// `substr(text, start)` or `substr(text, start, length)`; start counts from 1
    Substr,
    /// `extract(part from date or timestamp)`, an integer
    Extract(DatePart),
    /// `date_trunc(part, date or timestamp)`, of the argument's type
    Truncate(DatePart),
}

/// Parts of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// Calendar year
    Year,
    /// Quarter, 1 to 4
    Quarter,
    /// Month, 1 to 12
    Month,
    /// Day of month, 1 to 31
    Day,
}

impl Expr {
    /// Direct children.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Expr::Column(_) | Expr::Literal(_) => vec![],
            Expr::Not(a) | Expr::IsNull(a) | Expr::InList(a, _) | Expr::Cast(a, _) => vec![a],
            Expr::Like { input, .. } => vec![input],
            Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) | Expr::Arithmetic(_, a, b) => {
                vec![a, b]
            }
            Expr::Call(_, args) => args.iter().collect(),
        }
    }
}
