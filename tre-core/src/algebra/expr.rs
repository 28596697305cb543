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
    /// `CASE WHEN condition THEN value … ELSE otherwise END`: the value of the first condition that is true.
    Case {
        /// Conditions and values, at least one; all values are of one type.
        branches: Vec<(Expr, Expr)>,
        /// Where no condition is true; `None`: NULL.
        otherwise: Option<Box<Expr>>,
    },
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
    /// The same expression over other columns: every position is replaced by what `column` says.
    ///
    /// `None` when `column` has nothing for one of them.
    pub fn rebased(&self, column: &impl Fn(usize) -> Option<Expr>) -> Option<Expr> {
        let boxed = |e: &Expr| e.rebased(column).map(Box::new);
        Some(match self {
            Expr::Column(position) => column(*position)?,
            Expr::Literal(value) => Expr::Literal(value.clone()),
            Expr::Compare(op, a, b) => Expr::Compare(*op, boxed(a)?, boxed(b)?),
            Expr::And(a, b) => Expr::And(boxed(a)?, boxed(b)?),
            Expr::Or(a, b) => Expr::Or(boxed(a)?, boxed(b)?),
            Expr::Not(a) => Expr::Not(boxed(a)?),
            Expr::IsNull(a) => Expr::IsNull(boxed(a)?),
            Expr::Arithmetic(op, a, b) => Expr::Arithmetic(*op, boxed(a)?, boxed(b)?),
            Expr::InList(a, values) => Expr::InList(boxed(a)?, values.clone()),
            Expr::Like {
                input,
                pattern,
                case_insensitive,
            } => Expr::Like {
                input: boxed(input)?,
                pattern: pattern.clone(),
                case_insensitive: *case_insensitive,
            },
            Expr::Cast(a, to) => Expr::Cast(boxed(a)?, *to),
            Expr::Call(function, args) => Expr::Call(
                *function,
                args.iter().map(|a| a.rebased(column)).collect::<Option<_>>()?,
            ),
            Expr::Case { branches, otherwise } => Expr::Case {
                branches: branches
                    .iter()
                    .map(|(condition, value)| Some((condition.rebased(column)?, value.rebased(column)?)))
                    .collect::<Option<_>>()?,
                otherwise: match otherwise {
                    None => None,
                    Some(e) => Some(boxed(e)?),
                },
            },
        })
    }

    /// Number of expressions in it, itself included.
    pub fn size(&self) -> usize {
        1 + self.children().into_iter().map(Expr::size).sum::<usize>()
    }

    /// Adds the positions that it reads, each once.
    pub fn read(&self, positions: &mut Vec<usize>) {
        if let Expr::Column(position) = self
            && !positions.contains(position)
        {
            positions.push(*position);
        }
        for child in self.children() {
            child.read(positions);
        }
    }

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
            Expr::Case { branches, otherwise } => {
                let branches = branches.iter().flat_map(|(condition, value)| [condition, value]);
                branches.chain(otherwise.as_deref()).collect()
            }
        }
    }
}
