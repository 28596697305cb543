//! How fine the values of a key are, as far as the spec and the plan say.
//!
//! A stored column is as fine as its holder's spec says. Through a plan it stays that, and a few expressions make it
//! coarser in a way that is known: a date cut to its month, the first characters of a code, numbers in steps. Of all other
//! expressions nothing is known, and nothing coarser is proposed for them than to leave them out.

use tre_core::algebra::{Arithmetic, DatePart, Expr, Function, Node};
use tre_core::grant::{Grant, GrantedTable};
use tre_core::manifest::ColumnMeta;
use tre_core::types::{ColumnType, Value};

/// What is known of the values of a column or expression.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level<'g> {
    /// They are those of a stored column.
    Stored(&'g GrantedTable, &'g ColumnMeta),
    /// Dates or timestamps, the first of their year, quarter, month or day.
    Date(DatePart),
    /// Years, or numbers of quarters, months or days.
    Part(DatePart),
    /// The first characters of texts, of a code system if there is a tag.
    Prefix(Option<&'g str>, usize),
    /// Whole numbers that are multiples of this one.
    Steps(i64),
    /// Nothing.
    Unknown,
}

/// The level of an expression over the output of a node.
pub(super) fn of<'g>(expr: &Expr, node: &Node, grant: &'g Grant) -> Level<'g> {
    match expr {
        Expr::Column(position) => of_column(*position, node, grant),
        Expr::Cast(inner, _) => of(inner, node, grant),
        Expr::Call(Function::Truncate(part), _) => Level::Date(*part),
        Expr::Call(Function::Extract(part), _) => Level::Part(*part),
        Expr::Call(Function::Substr, args) => match args.as_slice() {
            [text, start, length] => match (whole(start), whole(length)) {
                (Some(1), Some(length)) => {
                    let tag = match of(text, node, grant) {
                        Level::Stored(_, meta) => meta.tag.as_deref(),
                        Level::Prefix(tag, _) => tag,
                        Level::Date(_) | Level::Part(_) | Level::Steps(_) | Level::Unknown => None,
                    };
                    usize::try_from(length).map_or(Level::Unknown, |length| Level::Prefix(tag, length))
                }
                _ => Level::Unknown,
            },
            _ => Level::Unknown,
        },
        Expr::Arithmetic(Arithmetic::Multiply, divided, step) => match divided.as_ref() {
            Expr::Arithmetic(Arithmetic::Divide, _, by) if whole(by) == whole(step) => {
                whole(step).map_or(Level::Unknown, Level::Steps)
            }
            _ => Level::Unknown,
        },
        Expr::Call(Function::Lower | Function::Upper | Function::Trim | Function::CharLength, _)
        | Expr::Arithmetic(..)
        | Expr::Literal(_)
        | Expr::Compare(..)
        | Expr::And(..)
        | Expr::Or(..)
        | Expr::Not(_)
        | Expr::IsNull(_)
        | Expr::InList(..)
        | Expr::Like { .. }
        | Expr::Case { .. } => Level::Unknown,
    }
}

fn of_column<'g>(position: usize, node: &Node, grant: &'g Grant) -> Level<'g> {
    match node {
        Node::Scan {
            dataset,
            table,
            columns,
        } => {
            let table = grant.table(dataset, table);
            let found = table.and_then(|table| {
                let (_, meta) = table.permitted(columns.get(position)?)?;
                Some(Level::Stored(table, meta))
            });
            found.unwrap_or(Level::Unknown)
        }
        Node::Filter { input, .. } => of_column(position, input, grant),
        Node::Project { input, columns } => columns
            .get(position)
            .map_or(Level::Unknown, |(_, expr)| of(expr, input, grant)),
        Node::JoinUnit { left, right, .. } | Node::JoinPublic { left, right, .. } => {
            let of_left = width(left);
            match position.checked_sub(of_left) {
                None => of_column(position, left, grant),
                Some(position) => of_column(position, right, grant),
            }
        }
        // Branches may be of different columns, and none of them speaks for all.
        Node::Union { .. } => Level::Unknown,
        Node::PerUnit { input, keys, .. } => keys
            .get(position)
            .map_or(Level::Unknown, |(_, key)| of(key, input, grant)),
        Node::Number { input, .. } if position < width(input) => of_column(position, input, grant),
        Node::Number { .. } => Level::Unknown,
    }
}

/// How many columns a node yields.
pub(super) fn width(node: &Node) -> usize {
    match node {
        Node::Scan { columns, .. } => columns.len(),
        Node::Filter { input, .. } => width(input),
        Node::Project { columns, .. } => columns.len(),
        Node::JoinUnit {
            kind, left, right, ..
        }
        | Node::JoinPublic {
            kind, left, right, ..
        } => {
            if kind.keeps_right() {
                width(left) + width(right)
            } else {
                width(left)
            }
        }
        Node::Union { inputs } => inputs.first().map_or(0, width),
        Node::PerUnit { keys, calls, .. } => keys.len() + calls.len(),
        Node::Number { input, .. } => width(input) + 1,
    }
}

/// The column that an expression of a known level is computed from.
pub(super) fn base(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Column(position) => Some(*position),
        Expr::Cast(inner, _) => base(inner),
        Expr::Call(Function::Truncate(_) | Function::Extract(_) | Function::Substr, args) => {
            base(args.first()?)
        }
        Expr::Arithmetic(Arithmetic::Multiply | Arithmetic::Divide, inner, by) if whole(by).is_some() => {
            base(inner)
        }
        Expr::Call(Function::Lower | Function::Upper | Function::Trim | Function::CharLength, _)
        | Expr::Arithmetic(..)
        | Expr::Literal(_)
        | Expr::Compare(..)
        | Expr::And(..)
        | Expr::Or(..)
        | Expr::Not(_)
        | Expr::IsNull(_)
        | Expr::InList(..)
        | Expr::Like { .. }
        | Expr::Case { .. } => None,
    }
}

/// About how many different values a key may have; a guess where the spec declares no domain, for an order of proposals
/// and nothing else.
pub(super) fn about(level: Level<'_>, column_type: Option<ColumnType>) -> u64 {
    const MANY: u64 = 1000;
    let is_bool = column_type == Some(ColumnType::Bool);
    match level {
        Level::Stored(_, meta) => match (&meta.domain, super::dates::grain(level)) {
            (Some(domain), _) => domain.len() as u64,
            (None, Some(grain)) => super::dates::about(grain),
            (None, None) if is_bool => 2,
            (None, None) => MANY,
        },
        Level::Date(part) => super::dates::about(part),
        Level::Part(DatePart::Year) => 10,
        Level::Part(DatePart::Quarter) => 4,
        Level::Part(DatePart::Month) => 12,
        Level::Part(DatePart::Day) => 31,
        Level::Prefix(_, length) => super::codes::about(length).min(MANY),
        Level::Steps(_) => 20,
        Level::Unknown if is_bool => 2,
        Level::Unknown => MANY,
    }
}

/// A constant whole number.
fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(Value::Int(number)) => Some(*number),
        _constant_or_not => None,
    }
}
