//! Expressions between their types and their messages.

use tre_core::algebra::{Arithmetic, Comparison, DatePart, Expr, Function};

use crate::worker::v1 as wire;

use super::values::{decode_type, decode_value, encode_type, encode_value};
use super::{DecodeError, position};

pub(super) fn encode_named(name: &str, expr: &Expr) -> wire::NamedExpr {
    wire::NamedExpr {
        name: name.to_owned(),
        expr: Some(encode_expr(expr)),
    }
}

pub(super) fn decode_named(message: wire::NamedExpr) -> Result<(String, Expr), DecodeError> {
    Ok((
        message.name,
        decode_expr(message.expr.ok_or(DecodeError::Missing("expression"))?)?,
    ))
}

/// An expression as a message.
pub fn encode_expr(expr: &Expr) -> wire::Expr {
    use wire::expr::Expr as Kind;
    let boxed = |e: &Expr| Box::new(encode_expr(e));
    let binary = |a: &Expr, b: &Expr| {
        Box::new(wire::Binary {
            left: Some(boxed(a)),
            right: Some(boxed(b)),
        })
    };
    let kind = match expr {
        Expr::Column(column) => Kind::Column(position(*column)),
        Expr::Literal(value) => Kind::Literal(encode_value(value)),
        Expr::Compare(op, a, b) => Kind::Compare(Box::new(wire::Compare {
            op: encode_comparison(*op) as i32,
            left: Some(boxed(a)),
            right: Some(boxed(b)),
        })),
        Expr::And(a, b) => Kind::And(binary(a, b)),
        Expr::Or(a, b) => Kind::Or(binary(a, b)),
        Expr::Not(a) => Kind::Not(boxed(a)),
        Expr::IsNull(a) => Kind::IsNull(boxed(a)),
        Expr::Arithmetic(op, a, b) => Kind::Arithmetic(Box::new(wire::Arithmetic {
            op: encode_arithmetic(*op) as i32,
            left: Some(boxed(a)),
            right: Some(boxed(b)),
        })),
        Expr::InList(a, values) => Kind::InList(Box::new(wire::InList {
            input: Some(boxed(a)),
            values: values.iter().map(encode_value).collect(),
        })),
        Expr::Like {
            input,
            pattern,
            case_insensitive,
        } => Kind::Like(Box::new(wire::Like {
            input: Some(boxed(input)),
            pattern: pattern.clone(),
            case_insensitive: *case_insensitive,
        })),
        Expr::Cast(a, to) => Kind::Cast(Box::new(wire::Cast {
            input: Some(boxed(a)),
            to: Some(encode_type(*to)),
        })),
        Expr::Call(function, args) => {
            let (function, part) = encode_function(*function);
            Kind::Call(wire::Call {
                function: function as i32,
                part: part as i32,
                args: args.iter().map(encode_expr).collect(),
            })
        }
        Expr::Case { branches, otherwise } => Kind::Case(Box::new(wire::Case {
            branches: branches
                .iter()
                .map(|(when, then)| wire::Branch {
                    when: Some(encode_expr(when)),
                    then: Some(encode_expr(then)),
                })
                .collect(),
            otherwise: otherwise.as_deref().map(boxed),
        })),
    };
    wire::Expr { expr: Some(kind) }
}

/// An expression from a message.
///
/// # Errors
/// [`DecodeError`] for anything that the algebra cannot say.
pub fn decode_expr(message: wire::Expr) -> Result<Expr, DecodeError> {
    use wire::expr::Expr as Kind;
    let boxed = |e: Option<Box<wire::Expr>>| -> Result<Box<Expr>, DecodeError> {
        Ok(Box::new(decode_expr(*e.ok_or(DecodeError::Missing("operand"))?)?))
    };
    Ok(match message.expr.ok_or(DecodeError::Missing("expression"))? {
        Kind::Column(column) => Expr::Column(column as usize),
        Kind::Literal(value) => Expr::Literal(decode_value(value)?),
        Kind::Compare(c) => Expr::Compare(decode_comparison(c.op())?, boxed(c.left)?, boxed(c.right)?),
        Kind::And(b) => Expr::And(boxed(b.left)?, boxed(b.right)?),
        Kind::Or(b) => Expr::Or(boxed(b.left)?, boxed(b.right)?),
        Kind::Not(a) => Expr::Not(boxed(Some(a))?),
        Kind::IsNull(a) => Expr::IsNull(boxed(Some(a))?),
        Kind::Arithmetic(a) => Expr::Arithmetic(decode_arithmetic(a.op())?, boxed(a.left)?, boxed(a.right)?),
        Kind::InList(l) => Expr::InList(
            boxed(l.input)?,
            l.values.into_iter().map(decode_value).collect::<Result<_, _>>()?,
        ),
        Kind::Like(l) => Expr::Like {
            input: boxed(l.input)?,
            pattern: l.pattern,
            case_insensitive: l.case_insensitive,
        },
        Kind::Cast(c) => Expr::Cast(
            boxed(c.input)?,
            decode_type(c.to.ok_or(DecodeError::Missing("type"))?)?,
        ),
        Kind::Call(call) => {
            let function = decode_function(call.function(), call.part())?;
            Expr::Call(
                function,
                call.args.into_iter().map(decode_expr).collect::<Result<_, _>>()?,
            )
        }
        Kind::Case(case) => Expr::Case {
            branches: case
                .branches
                .into_iter()
                .map(|branch| {
                    let [when, then] = [branch.when, branch.then].map(|e| {
                        let e = e.ok_or(DecodeError::Missing("branch"))?;
                        decode_expr(e)
                    });
                    Ok((when?, then?))
                })
                .collect::<Result<_, DecodeError>>()?,
            otherwise: match case.otherwise {
                None => None,
                some => Some(boxed(some)?),
            },
        },
    })
}

fn encode_comparison(op: Comparison) -> wire::CompareOp {
    match op {
        Comparison::Eq => wire::CompareOp::Eq,
        Comparison::NotEq => wire::CompareOp::NotEq,
        Comparison::Lt => wire::CompareOp::Lt,
        Comparison::LtEq => wire::CompareOp::LtEq,
        Comparison::Gt => wire::CompareOp::Gt,
        Comparison::GtEq => wire::CompareOp::GtEq,
    }
}

fn decode_comparison(op: wire::CompareOp) -> Result<Comparison, DecodeError> {
    match op {
        wire::CompareOp::Eq => Ok(Comparison::Eq),
        wire::CompareOp::NotEq => Ok(Comparison::NotEq),
        wire::CompareOp::Lt => Ok(Comparison::Lt),
        wire::CompareOp::LtEq => Ok(Comparison::LtEq),
        wire::CompareOp::Gt => Ok(Comparison::Gt),
        wire::CompareOp::GtEq => Ok(Comparison::GtEq),
        wire::CompareOp::Unspecified => Err(DecodeError::Unknown("comparison")),
    }
}

fn encode_arithmetic(op: Arithmetic) -> wire::ArithmeticOp {
    match op {
        Arithmetic::Add => wire::ArithmeticOp::Add,
        Arithmetic::Subtract => wire::ArithmeticOp::Subtract,
        Arithmetic::Multiply => wire::ArithmeticOp::Multiply,
        Arithmetic::Divide => wire::ArithmeticOp::Divide,
        Arithmetic::Modulo => wire::ArithmeticOp::Modulo,
    }
}

fn decode_arithmetic(op: wire::ArithmeticOp) -> Result<Arithmetic, DecodeError> {
    match op {
        wire::ArithmeticOp::Add => Ok(Arithmetic::Add),
        wire::ArithmeticOp::Subtract => Ok(Arithmetic::Subtract),
        wire::ArithmeticOp::Multiply => Ok(Arithmetic::Multiply),
        wire::ArithmeticOp::Divide => Ok(Arithmetic::Divide),
        wire::ArithmeticOp::Modulo => Ok(Arithmetic::Modulo),
        wire::ArithmeticOp::Unspecified => Err(DecodeError::Unknown("arithmetic operator")),
    }
}

fn encode_function(function: Function) -> (wire::FunctionName, wire::DatePart) {
    use wire::FunctionName as Name;
    let none = wire::DatePart::Unspecified;
    match function {
        Function::Lower => (Name::Lower, none),
        Function::Upper => (Name::Upper, none),
        Function::Trim => (Name::Trim, none),
        Function::CharLength => (Name::CharLength, none),
        Function::Substr => (Name::Substr, none),
        Function::Extract(part) => (Name::Extract, encode_part(part)),
        Function::Truncate(part) => (Name::Truncate, encode_part(part)),
    }
}

fn decode_function(name: wire::FunctionName, part: wire::DatePart) -> Result<Function, DecodeError> {
    use wire::FunctionName as Name;
    let takes_part = matches!(name, Name::Extract | Name::Truncate);
    if !takes_part && part != wire::DatePart::Unspecified {
        return Err(DecodeError::Unknown("function with a part of a date"));
    }
    match name {
        Name::Lower => Ok(Function::Lower),
        Name::Upper => Ok(Function::Upper),
        Name::Trim => Ok(Function::Trim),
        Name::CharLength => Ok(Function::CharLength),
        Name::Substr => Ok(Function::Substr),
        Name::Extract => Ok(Function::Extract(decode_part(part)?)),
        Name::Truncate => Ok(Function::Truncate(decode_part(part)?)),
        Name::Unspecified => Err(DecodeError::Unknown("function")),
    }
}

fn encode_part(part: DatePart) -> wire::DatePart {
    match part {
        DatePart::Year => wire::DatePart::Year,
        DatePart::Quarter => wire::DatePart::Quarter,
        DatePart::Month => wire::DatePart::Month,
        DatePart::Day => wire::DatePart::Day,
    }
}

fn decode_part(part: wire::DatePart) -> Result<DatePart, DecodeError> {
    match part {
        wire::DatePart::Year => Ok(DatePart::Year),
        wire::DatePart::Quarter => Ok(DatePart::Quarter),
        wire::DatePart::Month => Ok(DatePart::Month),
        wire::DatePart::Day => Ok(DatePart::Day),
        wire::DatePart::Unspecified => Err(DecodeError::Unknown("part of a date")),
    }
}
