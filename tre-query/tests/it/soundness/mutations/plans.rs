//! Plans that do something else than they say: every node and expression of the algebra, the permit, the measures.

use tre_core::algebra::{Arithmetic, Comparison, DatePart, Expr, Frontier, Function, Node};
use tre_core::grant::Grant;
use tre_core::manifest::Bounds;
use tre_core::types::{ColumnType, Value};
use tre_query::data::Opened;

use super::noticed;
use crate::fixture::CUTS;
use crate::soundness::client::{SOUND, Tamper};
use crate::soundness::compare::Kind;
use crate::soundness::tables::World;

/// The plan with every node and expression changed, innermost first.
fn changed(frontier: Frontier, node: fn(Node) -> Node, expr: fn(Expr) -> Expr) -> Frontier {
    let keys = frontier
        .keys
        .into_iter()
        .map(|(name, key)| (name, of_expr(key, expr)));
    Frontier {
        keys: keys.collect(),
        input: of_node(frontier.input, node, expr),
        aggregates: frontier.aggregates,
    }
}

fn of_node(node: Node, change: fn(Node) -> Node, expr: fn(Expr) -> Expr) -> Node {
    let inner = |input: Box<Node>| Box::new(of_node(*input, change, expr));
    change(match node {
        scan @ Node::Scan { .. } => scan,
        Node::Filter { input, predicate } => Node::Filter {
            input: inner(input),
            predicate: of_expr(predicate, expr),
        },
        Node::Project { input, columns } => Node::Project {
            input: inner(input),
            columns: columns
                .into_iter()
                .map(|(name, column)| (name, of_expr(column, expr)))
                .collect(),
        },
        Node::JoinUnit { left, right, on } => Node::JoinUnit {
            left: inner(left),
            right: inner(right),
            on,
        },
        Node::JoinPublic { left, right, on } => Node::JoinPublic {
            left: inner(left),
            right: inner(right),
            on,
        },
    })
}

fn of_expr(expr: Expr, change: fn(Expr) -> Expr) -> Expr {
    let inner = |a: Box<Expr>| Box::new(of_expr(*a, change));
    change(match expr {
        leaf @ (Expr::Column(_) | Expr::Literal(_)) => leaf,
        Expr::Compare(op, a, b) => Expr::Compare(op, inner(a), inner(b)),
        Expr::And(a, b) => Expr::And(inner(a), inner(b)),
        Expr::Or(a, b) => Expr::Or(inner(a), inner(b)),
        Expr::Not(a) => Expr::Not(inner(a)),
        Expr::IsNull(a) => Expr::IsNull(inner(a)),
        Expr::Arithmetic(op, a, b) => Expr::Arithmetic(op, inner(a), inner(b)),
        Expr::InList(a, list) => Expr::InList(inner(a), list),
        Expr::Like {
            input,
            pattern,
            case_insensitive,
        } => Expr::Like {
            input: inner(input),
            pattern,
            case_insensitive,
        },
        Expr::Cast(a, to) => Expr::Cast(inner(a), to),
        Expr::Call(function, args) => Expr::Call(
            function,
            args.into_iter().map(|arg| of_expr(arg, change)).collect(),
        ),
    })
}

fn same_node(node: Node) -> Node {
    node
}

fn same_expr(expr: Expr) -> Expr {
    expr
}

macro_rules! every_node_matters {
    ($($name:ident, $seed:literal: $from:pat => $to:expr;)*) => {
        $(
            #[test]
            fn $name() {
                fn change(node: Node) -> Node {
                    match node {
                        $from => $to,
                        other => other,
                    }
                }
                let frontier = |frontier: Frontier| changed(frontier, change, same_expr);
                noticed(&Tamper { frontier, ..SOUND }, $seed, Kind::Evidence);
            }
        )*
    };
}

every_node_matters! {
    a_filter_that_keeps_everything, 0:
        Node::Filter { input, .. } => *input;
    a_projection_in_another_order, 7:
        Node::Project { input, mut columns } => { columns.reverse(); Node::Project { input, columns } };
    a_join_on_pid_that_forgets_its_other_equalities, 2:
        Node::JoinUnit { left, right, .. } => Node::JoinUnit { left, right, on: vec![] };
    a_join_on_pid_with_itself, 0:
        Node::JoinUnit { left, on, .. } => Node::JoinUnit { right: left.clone(), left, on };
    a_join_with_a_public_table_on_other_columns, 0:
        Node::JoinPublic { left, right, on } => {
            Node::JoinPublic { left, right, on: on.into_iter().map(|(l, r)| (l, 1 - r.min(1))).collect() }
        };
}

macro_rules! every_expression_matters {
    ($($name:ident, $seed:literal: $from:pat => $to:expr;)*) => {
        $(
            #[test]
            fn $name() {
                fn change(expr: Expr) -> Expr {
                    match expr {
                        $from => $to,
                        other => other,
                    }
                }
                let frontier = |frontier: Frontier| changed(frontier, same_node, change);
                noticed(&Tamper { frontier, ..SOUND }, $seed, Kind::Evidence);
            }
        )*
    };
}

every_expression_matters! {
    equal_is_taken_for_unequal, 1:
        Expr::Compare(Comparison::Eq, a, b) => Expr::Compare(Comparison::NotEq, a, b);
    unequal_is_taken_for_equal, 4:
        Expr::Compare(Comparison::NotEq, a, b) => Expr::Compare(Comparison::Eq, a, b);
    less_holds_of_equals, 16:
        Expr::Compare(Comparison::Lt, a, b) => Expr::Compare(Comparison::LtEq, a, b);
    at_most_is_taken_for_less, 6:
        Expr::Compare(Comparison::LtEq, a, b) => Expr::Compare(Comparison::Lt, a, b);
    more_holds_of_equals, 3:
        Expr::Compare(Comparison::Gt, a, b) => Expr::Compare(Comparison::GtEq, a, b);
    at_least_is_taken_for_more, 13:
        Expr::Compare(Comparison::GtEq, a, b) => Expr::Compare(Comparison::Gt, a, b);
    a_comparison_with_null_holds, 0:
        Expr::Compare(op, a, b) => {
            Expr::Or(Box::new(Expr::IsNull(a.clone())), Box::new(Expr::Compare(op, a, b)))
        };
    and_is_taken_for_or, 0:
        Expr::And(a, b) => Expr::Or(a, b);
    or_is_taken_for_and, 3:
        Expr::Or(a, b) => Expr::And(a, b);
    not_is_forgotten, 0:
        Expr::Not(a) => *a;
    nothing_is_null, 0:
        Expr::IsNull(_) => Expr::Literal(Value::Bool(false));
    sums_are_taken_for_differences, 6:
        Expr::Arithmetic(Arithmetic::Add, a, b) => Expr::Arithmetic(Arithmetic::Subtract, a, b);
    differences_are_taken_for_sums, 96:
        Expr::Arithmetic(Arithmetic::Subtract, a, b) => Expr::Arithmetic(Arithmetic::Add, a, b);
    a_product_of_integers_is_taken_for_a_sum, 8:
        Expr::Arithmetic(Arithmetic::Multiply, a, b) => Expr::Arithmetic(Arithmetic::Add, a, b);
    division_is_taken_for_its_remainder, 3:
        Expr::Arithmetic(Arithmetic::Divide, a, b) => Expr::Arithmetic(Arithmetic::Modulo, a, b);
    a_remainder_is_taken_for_division, 8:
        Expr::Arithmetic(Arithmetic::Modulo, a, b) => Expr::Arithmetic(Arithmetic::Divide, a, b);
    the_last_of_a_list_is_forgotten, 8:
        Expr::InList(a, mut list) => { list.pop(); Expr::InList(a, list) };
    a_pattern_matches_everything, 2:
        Expr::Like { input, case_insensitive, .. } => Expr::Like { input, case_insensitive, pattern: "%".to_owned() };
    case_matters_where_it_should_not, 186:
        Expr::Like { input, pattern, .. } => Expr::Like { input, pattern: pattern.to_lowercase(), case_insensitive: false };
    a_cast_has_never_a_result, 1:
        Expr::Cast(_, to) => Expr::Literal(Value::Null(to));
    upper_is_taken_for_lower, 0:
        Expr::Call(Function::Upper, args) => Expr::Call(Function::Lower, args);
    a_substring_begins_one_later, 1:
        Expr::Call(Function::Substr, mut args) => {
            args[1] = Expr::Literal(Value::Int(2 + i64::from(args[1] == Expr::Literal(Value::Int(2)))));
            Expr::Call(Function::Substr, args)
        };
    the_length_of_a_text_is_unknown, 1:
        Expr::Call(Function::CharLength, _) => Expr::Literal(Value::Null(ColumnType::Int));
    months_are_taken_for_quarters, 0:
        Expr::Call(Function::Extract(DatePart::Month), args) => Expr::Call(Function::Extract(DatePart::Quarter), args);
    a_truncated_month_is_taken_for_its_year, 5:
        Expr::Call(Function::Truncate(DatePart::Month), args) => Expr::Call(Function::Truncate(DatePart::Year), args);
}

#[test]
fn the_worker_forgets_the_permits_rows() {
    let tamper = Tamper {
        opened: |opened, _| opened.grant.tables[0].row_filter = None,
        ..SOUND
    };
    noticed(&tamper, 1, Kind::Evidence);
}

#[test]
fn a_person_lies_in_two_ranges() {
    /// The first row in range 0 of `visit` goes to range 1, where its person comes first.
    fn opened(opened: &mut Opened, world: &World) {
        let (visit, granted) = (&world.tables[0], &mut opened.grant.tables[0]);
        let in_range = |range: usize| {
            let units = CUTS[range]..CUTS[range + 1];
            let rows = visit.rows.iter().filter(|(unit, _)| units.contains(unit));
            rows.cloned().collect::<Vec<_>>()
        };
        let mut ranges = [in_range(0), in_range(1)];
        let moved: Vec<_> = ranges[0].drain(..1.min(ranges[0].len())).collect();
        ranges[1].extend(moved);
        for (range, rows) in ranges.into_iter().enumerate() {
            let file = &mut granted.files[range];
            file.rows = rows.len() as u64;
            let place = format!("{}/{}/{}", granted.version, granted.table, file.name);
            let key = [u8::try_from(range).unwrap() + 1; 32];
            opened.files[range] = visit.file(&place, key, rows);
        }
    }
    noticed(&Tamper { opened, ..SOUND }, 8, Kind::Evidence);
}

#[test]
fn any_number_is_a_measure() {
    fn grant(grant: &mut Grant) {
        let age = &mut grant.tables[1].stored[1];
        let none = Value::Null(age.column_type);
        age.measure = Some(Bounds {
            min: none.clone(),
            max: none,
        });
    }
    noticed(&Tamper { grant, ..SOUND }, 30, Kind::Refusal);
}
