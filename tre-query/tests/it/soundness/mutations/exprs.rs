//! Expressions that do something else than they say.

use tre_core::algebra::{Arithmetic, Comparison, DatePart, Expr, Frontier, Function};
use tre_core::types::{ColumnType, Value};

use super::noticed;
use super::walk::{Change, SAME};
use crate::soundness::client::{SOUND, Tamper};
use crate::soundness::compare::Kind;

macro_rules! every_expression_matters {
    ($($name:ident, $seed:literal: $from:pat $(if $guard:expr)? => $to:expr;)*) => {
        $(
            #[test]
            fn $name() {
                fn expr(expr: Expr) -> Expr {
                    match expr {
                        $from $(if $guard)? => $to,
                        other => other,
                    }
                }
                let frontier = |frontier: Frontier| Change { expr, ..SAME }.frontier(frontier);
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
    at_most_is_taken_for_less, 1:
        Expr::Compare(Comparison::LtEq, a, b) => Expr::Compare(Comparison::Lt, a, b);
    more_holds_of_equals, 3:
        Expr::Compare(Comparison::Gt, a, b) => Expr::Compare(Comparison::GtEq, a, b);
    at_least_is_taken_for_more, 7:
        Expr::Compare(Comparison::GtEq, a, b) => Expr::Compare(Comparison::Gt, a, b);
    a_comparison_with_null_holds, 0:
        Expr::Compare(op, a, b) => {
            Expr::Or(Box::new(Expr::IsNull(a.clone())), Box::new(Expr::Compare(op, a, b)))
        };
    and_is_taken_for_or, 0:
        Expr::And(a, b) => Expr::Or(a, b);
    or_is_taken_for_and, 0:
        Expr::Or(a, b) => Expr::And(a, b);
    not_is_forgotten, 1:
        Expr::Not(a) => *a;
    nothing_is_null, 0:
        Expr::IsNull(_) => Expr::Literal(Value::Bool(false));
    sums_are_taken_for_differences, 9:
        Expr::Arithmetic(Arithmetic::Add, a, b) => Expr::Arithmetic(Arithmetic::Subtract, a, b);
    differences_are_taken_for_sums, 0:
        Expr::Arithmetic(Arithmetic::Subtract, a, b) => Expr::Arithmetic(Arithmetic::Add, a, b);
    a_product_of_integers_is_taken_for_a_sum, 17:
        Expr::Arithmetic(Arithmetic::Multiply, a, b) => Expr::Arithmetic(Arithmetic::Add, a, b);
    division_is_taken_for_its_remainder, 7:
        Expr::Arithmetic(Arithmetic::Divide, a, b) => Expr::Arithmetic(Arithmetic::Modulo, a, b);
    a_remainder_is_taken_for_division, 3:
        Expr::Arithmetic(Arithmetic::Modulo, a, b) => Expr::Arithmetic(Arithmetic::Divide, a, b);
    the_last_of_a_list_is_forgotten, 3:
        Expr::InList(a, mut list) => { list.pop(); Expr::InList(a, list) };
    a_pattern_matches_everything, 2:
        Expr::Like { input, case_insensitive, .. } => Expr::Like { input, case_insensitive, pattern: "%".to_owned() };
    case_matters_where_it_should_not, 32:
        Expr::Like { input, pattern, .. } => Expr::Like { input, pattern: pattern.to_lowercase(), case_insensitive: false };
    a_cast_has_never_a_result, 0:
        Expr::Cast(_, to) => Expr::Literal(Value::Null(to));
    upper_is_taken_for_lower, 11:
        Expr::Call(Function::Upper, args) => Expr::Call(Function::Lower, args);
    a_substring_begins_one_later, 8:
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
    the_first_case_is_forgotten, 90:
        Expr::Case { branches, otherwise } if branches.len() > 1 => {
            Expr::Case { branches: branches[1..].to_vec(), otherwise }
        };
    otherwise_is_forgotten, 3:
        Expr::Case { branches, otherwise: Some(_) } => Expr::Case { branches, otherwise: None };
}
