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

/// What an expression does to the one column that it is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// `date_trunc(part, x)`
    Truncated(DatePart),
    /// `extract(part FROM x)`
    Extracted(DatePart),
    /// `substr(x, 1, length)`
    Prefix(usize),
    /// `x / n * n`
    Steps(i64),
}

/// What an expression does, conversions aside; none for a bare column and for all that is not known.
pub(super) fn of_expression(expr: &Expr) -> Option<Known> {
    match expr {
        Expr::Cast(inner, _) => of_expression(inner),
        Expr::Call(Function::Truncate(part), _) => Some(Known::Truncated(*part)),
        Expr::Call(Function::Extract(part), _) => Some(Known::Extracted(*part)),
        Expr::Call(Function::Substr, args) => match args.as_slice() {
            [_, start, length] if whole(start) == Some(1) => {
                usize::try_from(whole(length)?).ok().map(Known::Prefix)
            }
            _elsewhere => None,
        },
        Expr::Arithmetic(Arithmetic::Multiply, divided, step) => {
            if let Expr::Arithmetic(Arithmetic::Divide, _, by) = divided.as_ref()
                && whole(by) == whole(step)
            {
                whole(step).map(Known::Steps)
            } else {
                None
            }
        }
        Expr::Call(Function::Lower | Function::Upper | Function::Trim | Function::CharLength, _)
        | Expr::Column(_)
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

/// The level of an expression over the output of a node.
pub(super) fn of<'g>(expr: &Expr, node: &Node, grant: &'g Grant) -> Level<'g> {
    if let Expr::Column(position) = expr {
        return of_column(*position, node, grant);
    }
    match of_expression(expr) {
        Some(Known::Truncated(part)) => Level::Date(part),
        Some(Known::Extracted(part)) => Level::Part(part),
        Some(Known::Steps(width)) => Level::Steps(width),
        Some(Known::Prefix(length)) => {
            let of_base = base(expr).map_or(Level::Unknown, |position| of_column(position, node, grant));
            let tag = match of_base {
                Level::Stored(_, meta) => meta.tag.as_deref(),
                Level::Prefix(tag, _) => tag,
                Level::Date(_) | Level::Part(_) | Level::Steps(_) | Level::Unknown => None,
            };
            Level::Prefix(tag, length)
        }
        None => Level::Unknown,
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

/// The column that a bare column or an expression of a known level is computed from.
pub(super) fn base(expr: &Expr) -> Option<usize> {
    if let Expr::Column(position) = expr {
        return Some(*position);
    }
    of_expression(expr)?;
    let mut read = Vec::new();
    expr.read(&mut read);
    match (read.as_slice(), is_plain(expr)) {
        ([one], true) => Some(*one),
        _several => None,
    }
}

/// Whether nothing but the column stands inside of the expression, so that another level of it is one of the column.
fn is_plain(expr: &Expr) -> bool {
    let Some(first) = expr.children().into_iter().next() else {
        return false;
    };
    let goes_on = matches!(first, Expr::Cast(..) | Expr::Arithmetic(Arithmetic::Divide, ..));
    matches!(first, Expr::Column(_)) || (goes_on && is_plain(first))
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
    if let Expr::Literal(Value::Int(number)) = expr {
        Some(*number)
    } else {
        None
    }
}
