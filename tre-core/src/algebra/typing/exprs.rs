//! Types of expressions.

use crate::types::{ColumnType, Value};

use super::{AlgebraError, Arithmetic, Budget, Column, Expr, Function, expect_type, type_error};

/// Type of an expression over columns of the given types.
pub(super) fn expression(
    expr: &Expr,
    columns: &[Column],
    budget: &mut Budget,
    depth: usize,
) -> Result<ColumnType, AlgebraError> {
    budget.spend(depth)?;
    let mut child = |e: &Expr| expression(e, columns, budget, depth + 1);
    match expr {
        Expr::Column(position) => columns
            .get(*position)
            .map(|c| c.column_type)
            .ok_or(AlgebraError::NoSuchPosition(*position)),
        Expr::Literal(value) => Ok(value.column_type()),
        Expr::Compare(_, a, b) => {
            let (a, b) = (child(a)?, child(b)?);
            if comparable(a, b) {
                Ok(ColumnType::Bool)
            } else {
                Err(type_error("a comparison", format!("{a} and {b}")))
            }
        }
        Expr::And(a, b) | Expr::Or(a, b) => match (child(a)?, child(b)?) {
            (ColumnType::Bool, ColumnType::Bool) => Ok(ColumnType::Bool),
            (a, b) => Err(type_error("AND/OR", format!("{a} and {b}"))),
        },
        Expr::Not(a) => expect_type("NOT", ColumnType::Bool, child(a)?),
        Expr::IsNull(a) => child(a).map(|_| ColumnType::Bool),
        Expr::Arithmetic(op, a, b) => {
            let (a, b) = (child(a)?, child(b)?);
            arithmetic_type(*op, a, b).ok_or_else(|| type_error("arithmetic", format!("{a} and {b}")))
        }
        Expr::InList(a, list) => {
            let a = child(a)?;
            match list
                .iter()
                .map(Value::column_type)
                .find(|item| !comparable(a, *item))
            {
                None => Ok(ColumnType::Bool),
                Some(item) => Err(type_error("IN", format!("{a} and {item}"))),
            }
        }
        Expr::Like { input, .. } => {
            expect_type("LIKE", ColumnType::Text, child(input)?).map(|_| ColumnType::Bool)
        }
        Expr::Cast(a, to) => {
            let from = child(a)?;
            if castable(from, *to) {
                Ok(*to)
            } else {
                Err(type_error(format!("a cast to {to}"), from))
            }
        }
        Expr::Call(function, args) => {
            // A position or length that a row computes could be one that the function has no result for.
            if *function == Function::Substr && !args.iter().skip(1).all(is_position) {
                return Err(type_error("substr", "a computed or negative position or length"));
            }
            let types = args.iter().map(&mut child).collect::<Result<Vec<_>, _>>()?;
            call_type(*function, &types).ok_or_else(|| {
                let found = types
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ");
                type_error(format!("{function:?}").to_lowercase(), format!("({found})"))
            })
        }
        Expr::Case { branches, otherwise } => {
            let mut result = None;
            for (condition, value) in branches {
                expect_type("CASE WHEN", ColumnType::Bool, child(condition)?)?;
                let found = child(value)?;
                expect_type("a branch of CASE", *result.get_or_insert(found), found)?;
            }
            let result = result.ok_or_else(|| type_error("CASE", "no branch"))?;
            if let Some(value) = otherwise {
                expect_type("a branch of CASE", result, child(value)?)?;
            }
            Ok(result)
        }
    }
}

/// A constant start or length of `substr`.
fn is_position(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Value::Int(n)) if (0..=i64::from(i32::MAX)).contains(n))
}

fn comparable(a: ColumnType, b: ColumnType) -> bool {
    a == b || matches!((a, b), (ColumnType::Decimal { .. }, ColumnType::Decimal { .. }))
}

fn castable(from: ColumnType, to: ColumnType) -> bool {
    use ColumnType::{Bool, Date, Decimal, Int, Text, Timestamp};
    match (from, to) {
        (Int | Decimal { .. } | Bool | Date | Timestamp | Text, Text) => true,
        (Int | Decimal { .. } | Text, Int | Decimal { .. }) => true,
        (Bool | Text, Bool) => true,
        (Date | Timestamp | Text, Date | Timestamp) => true,
        (Bool, Int) => true,
        (Date | Timestamp, Int | Decimal { .. } | Bool) => false,
        (Int | Decimal { .. }, Bool | Date | Timestamp) => false,
        (Bool, Decimal { .. } | Date | Timestamp) => false,
    }
}

/// Result type of an arithmetic operation, `None` where it is not defined.
fn arithmetic_type(op: Arithmetic, a: ColumnType, b: ColumnType) -> Option<ColumnType> {
    use ColumnType::{Decimal, Int};
    let scales = match (a, b) {
        (Int, Int) => return Some(Int),
        (Decimal { scale: x }, Decimal { scale: y }) => (x, y),
        (Decimal { scale }, Int) => (scale, 0),
        (Int, Decimal { scale }) => (0, scale),
        _ => return None,
    };
    let scale = match op {
        Arithmetic::Add | Arithmetic::Subtract => scales.0.max(scales.1),
        Arithmetic::Multiply => scales.0 + scales.1,
        Arithmetic::Divide | Arithmetic::Modulo => return None,
    };
    (scale <= 18).then_some(Decimal { scale })
}

fn call_type(function: Function, args: &[ColumnType]) -> Option<ColumnType> {
    use ColumnType::{Date, Int, Text, Timestamp};
    match (function, args) {
        (Function::Lower | Function::Upper | Function::Trim, [Text]) => Some(Text),
        (Function::CharLength, [Text]) => Some(Int),
        (Function::Substr, [Text, Int] | [Text, Int, Int]) => Some(Text),
        (Function::Extract(_), [Date | Timestamp]) => Some(Int),
        (Function::Truncate(_), [same @ (Date | Timestamp)]) => Some(*same),
        _ => None,
    }
}
