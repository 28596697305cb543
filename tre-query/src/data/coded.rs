//! Which text columns are read as codes of a dictionary.
//!
//! Files store text as codes already. A column that only becomes a key of the frontier, or is only compared with
//! single literals on its way there, is never needed as text row by row: codes are what it is filtered, gathered and grouped
//! by. Whatever else a column is used for, it is read as text.

use std::collections::BTreeSet;

use tre_core::algebra::{Comparison, Expr, Frontier, Node};

/// Positions of a node's output that something above needs as text.
pub(super) type Needed = BTreeSet<usize>;

/// What a frontier needs of its input.
pub(super) fn by_frontier(frontier: &Frontier) -> Needed {
    let mut needed = Needed::new();
    for (_, key) in &frontier.keys {
        as_it_is(key, &mut needed);
    }
    for argument in &frontier.arguments {
        as_text(&argument.expr(), &mut needed);
    }
    needed
}

/// What a filter needs of its input.
pub(super) fn by_filter(predicate: &Expr, needed: &Needed) -> Needed {
    let mut of_input = needed.clone();
    as_text(predicate, &mut of_input);
    of_input
}

/// What a projection needs of its input.
pub(super) fn by_project(columns: &[(String, Expr)], needed: &Needed) -> Needed {
    let mut of_input = Needed::new();
    for (position, (_, expr)) in columns.iter().enumerate() {
        if needed.contains(&position) {
            as_text(expr, &mut of_input);
        } else {
            as_it_is(expr, &mut of_input);
        }
    }
    of_input
}

/// What a join needs of its left and right input.
pub(super) fn by_join(
    left: &Node,
    on: &[(usize, usize)],
    condition: Option<&Expr>,
    needed: &Needed,
) -> (Needed, Needed) {
    let width = width(left);
    let mut both = needed.clone();
    if let Some(condition) = condition {
        as_text(condition, &mut both);
    }
    let mut of_left: Needed = both
        .iter()
        .copied()
        .filter(|position| *position < width)
        .collect();
    let mut of_right: Needed = both
        .iter()
        .filter_map(|position| position.checked_sub(width))
        .collect();
    for (left, right) in on {
        of_left.insert(*left);
        of_right.insert(*right);
    }
    (of_left, of_right)
}

/// Everything that a node has.
pub(super) fn all(node: &Node) -> Needed {
    (0..width(node)).collect()
}

/// Number of a node's output columns.
fn width(node: &Node) -> usize {
    match node {
        Node::Scan { columns, .. } => columns.len(),
        Node::Filter { input, .. } => width(input),
        Node::Project { columns, .. } => columns.len(),
        Node::JoinUnit {
            kind, left, right, ..
        }
        | Node::JoinPublic {
            kind, left, right, ..
        } => width(left) + if kind.keeps_right() { width(right) } else { 0 },
        Node::Union { inputs } => inputs.first().map_or(0, width),
        Node::PerUnit { keys, calls, .. } => keys.len() + calls.len(),
        Node::Number { input, .. } => width(input) + 1,
    }
}

/// A value that is passed on as it is: a bare column need not be text.
fn as_it_is(expr: &Expr, needed: &mut Needed) {
    if !matches!(expr, Expr::Column(_)) {
        as_text(expr, needed);
    }
}

/// A value that is computed with: only what is compared with literals need not be text.
fn as_text(expr: &Expr, needed: &mut Needed) {
    match expr {
        Expr::Column(position) => {
            needed.insert(*position);
        }
        Expr::Compare(Comparison::Eq | Comparison::NotEq, a, b) => match (a.as_ref(), b.as_ref()) {
            (Expr::Column(_), Expr::Literal(_)) | (Expr::Literal(_), Expr::Column(_)) => {}
            (a, b) => {
                as_text(a, needed);
                as_text(b, needed);
            }
        },
        Expr::IsNull(input) => as_it_is(input, needed),
        // The engine compares with a list and with a pattern in the type of these: text.
        Expr::InList(..)
        | Expr::Like { .. }
        | Expr::Literal(_)
        | Expr::Compare(..)
        | Expr::And(..)
        | Expr::Or(..)
        | Expr::Not(_)
        | Expr::Arithmetic(..)
        | Expr::Cast(..)
        | Expr::Call(..)
        | Expr::Case { .. } => {
            for child in expr.children() {
                as_text(child, needed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tre_core::types::Value;

    fn column(position: usize) -> Box<Expr> {
        Box::new(Expr::Column(position))
    }

    #[test]
    fn what_is_compared_with_a_literal_or_passed_on_need_not_be_text() {
        let literal = || Box::new(Expr::Literal(Value::Text("x".to_owned())));
        let cases = [
            (Expr::Compare(Comparison::Eq, column(0), literal()), vec![]),
            (Expr::Compare(Comparison::Eq, column(0), column(1)), vec![0, 1]),
            (Expr::Compare(Comparison::Lt, column(0), literal()), vec![0]),
            (Expr::IsNull(column(0)), vec![]),
            (Expr::InList(column(0), vec![]), vec![0]),
            (
                Expr::And(
                    Box::new(Expr::Compare(Comparison::NotEq, literal(), column(0))),
                    Box::new(Expr::Compare(Comparison::Eq, column(2), column(2))),
                ),
                vec![2],
            ),
        ];
        for (expr, expected) in cases {
            let needed = by_filter(&expr, &Needed::new());
            assert_eq!(needed.into_iter().collect::<Vec<_>>(), expected, "{expr:?}");
        }
        let columns = [
            ("a".to_owned(), Expr::Column(3)),
            ("b".to_owned(), Expr::Column(4)),
        ];
        assert_eq!(by_project(&columns, &Needed::from([1])), Needed::from([4]));
    }
}
