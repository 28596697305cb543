//! The algebra between its types and its protobuf.
//!
//! Encoding never fails. Decoding refuses whatever the types cannot say: a missing field, an unknown operator, a name
//! that is none, more than [`MAX_BYTES`] bytes. Depth is bounded by the protobuf decoder (100 messages) before this code
//! recurses, and again, with node counts, by `tre_core::algebra::resolve`.

use prost::Message;
use tre_core::algebra::{Aggregate, Arithmetic, Comparison, DatePart, Expr, Frontier, Function, Node};
use tre_core::types::{ColumnType, Value};

use crate::worker::v1 as wire;

/// Most bytes of one encoded frontier.
pub const MAX_BYTES: usize = 1 << 20;

/// A message that is not an algebra.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Too long.
    #[error("a frontier of {0} bytes is longer than {MAX_BYTES}")]
    TooLong(usize),
    /// A field that must be there is not.
    #[error("a frontier without its {0}")]
    Missing(&'static str),
    /// A number that stands for nothing.
    #[error("unknown {0}")]
    Unknown(&'static str),
    /// A name that is not one.
    #[error(transparent)]
    Name(#[from] tre_core::ids::InvalidName),
}

/// A frontier as bytes: what its digest is taken of.
pub fn to_bytes(frontier: &Frontier) -> Vec<u8> {
    encode_frontier(frontier).encode_to_vec()
}

/// A frontier as a message.
pub fn encode_frontier(frontier: &Frontier) -> wire::Frontier {
    wire::Frontier {
        input: Some(encode_node(&frontier.input)),
        keys: frontier
            .keys
            .iter()
            .map(|(name, expr)| encode_named(name, expr))
            .collect(),
        aggregates: frontier
            .aggregates
            .iter()
            .map(|aggregate| encode_aggregate(*aggregate))
            .collect(),
    }
}

/// A frontier from a message.
///
/// # Errors
/// [`DecodeError`] for anything that the algebra cannot say.
pub fn decode_frontier(message: wire::Frontier) -> Result<Frontier, DecodeError> {
    let length = message.encoded_len();
    if length > MAX_BYTES {
        return Err(DecodeError::TooLong(length));
    }
    Ok(Frontier {
        input: decode_node(message.input.ok_or(DecodeError::Missing("input"))?)?,
        keys: message
            .keys
            .into_iter()
            .map(decode_named)
            .collect::<Result<_, _>>()?,
        aggregates: message
            .aggregates
            .into_iter()
            .map(decode_aggregate)
            .collect::<Result<_, _>>()?,
    })
}

fn encode_aggregate(aggregate: Aggregate) -> wire::Aggregate {
    use wire::aggregate::Kind;
    let kind = match aggregate {
        Aggregate::CountRows => Kind::CountRows(true),
        Aggregate::CountUnits => Kind::CountUnits(true),
        Aggregate::Count(column) => Kind::Count(position(column)),
        Aggregate::Sum(column) => Kind::Sum(position(column)),
    };
    wire::Aggregate { kind: Some(kind) }
}

fn decode_aggregate(message: wire::Aggregate) -> Result<Aggregate, DecodeError> {
    use wire::aggregate::Kind;
    match message.kind.ok_or(DecodeError::Missing("aggregate"))? {
        Kind::CountRows(true) => Ok(Aggregate::CountRows),
        Kind::CountUnits(true) => Ok(Aggregate::CountUnits),
        Kind::CountRows(false) | Kind::CountUnits(false) => Err(DecodeError::Unknown("aggregate")),
        Kind::Count(column) => Ok(Aggregate::Count(column as usize)),
        Kind::Sum(column) => Ok(Aggregate::Sum(column as usize)),
    }
}

/// Positions are far below 2^32 (`MAX_NODES`); a larger one becomes one that no relation has.
fn position(column: usize) -> u32 {
    u32::try_from(column).unwrap_or(u32::MAX)
}

fn encode_node(node: &Node) -> wire::Node {
    use wire::node::Node as Kind;
    let kind = match node {
        Node::Scan {
            dataset,
            table,
            columns,
        } => Kind::Scan(wire::Scan {
            dataset: dataset.to_string(),
            table: table.to_string(),
            columns: columns.iter().map(ToString::to_string).collect(),
        }),
        Node::Filter { input, predicate } => Kind::Filter(Box::new(wire::Filter {
            input: Some(Box::new(encode_node(input))),
            predicate: Some(encode_expr(predicate)),
        })),
        Node::Project { input, columns } => Kind::Project(Box::new(wire::Project {
            input: Some(Box::new(encode_node(input))),
            columns: columns
                .iter()
                .map(|(name, expr)| encode_named(name, expr))
                .collect(),
        })),
        Node::JoinUnit { left, right, on } => Kind::JoinUnit(encode_join(left, right, on)),
        Node::JoinPublic { left, right, on } => Kind::JoinPublic(encode_join(left, right, on)),
    };
    wire::Node { node: Some(kind) }
}

fn encode_join(left: &Node, right: &Node, on: &[(usize, usize)]) -> Box<wire::Join> {
    Box::new(wire::Join {
        left: Some(Box::new(encode_node(left))),
        right: Some(Box::new(encode_node(right))),
        on: on
            .iter()
            .map(|(l, r)| wire::Equality {
                left: position(*l),
                right: position(*r),
            })
            .collect(),
    })
}

fn decode_node(message: wire::Node) -> Result<Node, DecodeError> {
    use wire::node::Node as Kind;
    match message.node.ok_or(DecodeError::Missing("node"))? {
        Kind::Scan(scan) => decode_scan(scan),
        Kind::Filter(filter) => Ok(Node::Filter {
            input: boxed_node(filter.input)?,
            predicate: decode_expr(filter.predicate.ok_or(DecodeError::Missing("predicate"))?)?,
        }),
        Kind::Project(project) => Ok(Node::Project {
            input: boxed_node(project.input)?,
            columns: project
                .columns
                .into_iter()
                .map(decode_named)
                .collect::<Result<_, _>>()?,
        }),
        Kind::JoinUnit(join) => {
            let (left, right, on) = decode_join(*join)?;
            Ok(Node::JoinUnit { left, right, on })
        }
        Kind::JoinPublic(join) => {
            let (left, right, on) = decode_join(*join)?;
            Ok(Node::JoinPublic { left, right, on })
        }
    }
}

/// A scan from a message; public reads travel as bare scans.
///
/// # Errors
/// [`DecodeError::Name`] for a name that is not one.
pub fn decode_scan(scan: wire::Scan) -> Result<Node, DecodeError> {
    Ok(Node::Scan {
        dataset: scan.dataset.parse()?,
        table: scan.table.parse()?,
        columns: scan
            .columns
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_, _>>()?,
    })
}

type Sides = (Box<Node>, Box<Node>, Vec<(usize, usize)>);

fn decode_join(join: wire::Join) -> Result<Sides, DecodeError> {
    let on = join
        .on
        .iter()
        .map(|equality| (equality.left as usize, equality.right as usize))
        .collect();
    Ok((boxed_node(join.left)?, boxed_node(join.right)?, on))
}

fn boxed_node(node: Option<Box<wire::Node>>) -> Result<Box<Node>, DecodeError> {
    Ok(Box::new(decode_node(
        *node.ok_or(DecodeError::Missing("input"))?,
    )?))
}

fn encode_named(name: &str, expr: &Expr) -> wire::NamedExpr {
    wire::NamedExpr {
        name: name.to_owned(),
        expr: Some(encode_expr(expr)),
    }
}

fn decode_named(message: wire::NamedExpr) -> Result<(String, Expr), DecodeError> {
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

fn encode_type(ty: ColumnType) -> wire::Type {
    use wire::TypeName as Name;
    let (name, scale) = match ty {
        ColumnType::Int => (Name::Int, 0),
        ColumnType::Decimal { scale } => (Name::Decimal, scale),
        ColumnType::Bool => (Name::Bool, 0),
        ColumnType::Text => (Name::Text, 0),
        ColumnType::Date => (Name::Date, 0),
        ColumnType::Timestamp => (Name::Timestamp, 0),
    };
    wire::Type {
        name: name as i32,
        scale: u32::from(scale),
    }
}

fn decode_type(message: wire::Type) -> Result<ColumnType, DecodeError> {
    use wire::TypeName as Name;
    if message.scale != 0 && message.name() != Name::Decimal {
        return Err(DecodeError::Unknown("type with a scale"));
    }
    match message.name() {
        Name::Int => Ok(ColumnType::Int),
        Name::Decimal => Ok(ColumnType::Decimal {
            scale: decode_scale(message.scale)?,
        }),
        Name::Bool => Ok(ColumnType::Bool),
        Name::Text => Ok(ColumnType::Text),
        Name::Date => Ok(ColumnType::Date),
        Name::Timestamp => Ok(ColumnType::Timestamp),
        Name::Unspecified => Err(DecodeError::Unknown("type")),
    }
}

fn decode_scale(scale: u32) -> Result<u8, DecodeError> {
    u8::try_from(scale)
        .ok()
        .filter(|scale| *scale <= 18)
        .ok_or(DecodeError::Unknown("decimal scale"))
}

fn encode_value(value: &Value) -> wire::Value {
    use wire::value::Value as Kind;
    let kind = match value {
        Value::Null(ty) => Kind::Null(encode_type(*ty)),
        Value::Int(v) => Kind::Int(*v),
        Value::Decimal { unscaled, scale } => Kind::Decimal(wire::Decimal {
            unscaled: unscaled.to_be_bytes().to_vec(),
            scale: u32::from(*scale),
        }),
        Value::Bool(v) => Kind::Bool(*v),
        Value::Text(v) => Kind::Text(v.clone()),
        Value::Date(v) => Kind::Date(*v),
        Value::Timestamp(v) => Kind::Timestamp(*v),
    };
    wire::Value { value: Some(kind) }
}

fn decode_value(message: wire::Value) -> Result<Value, DecodeError> {
    use wire::value::Value as Kind;
    Ok(match message.value.ok_or(DecodeError::Missing("value"))? {
        Kind::Null(ty) => Value::Null(decode_type(ty)?),
        Kind::Int(v) => Value::Int(v),
        Kind::Decimal(decimal) => {
            let bytes: [u8; 16] = decimal
                .unscaled
                .as_slice()
                .try_into()
                .map_err(|_| DecodeError::Unknown("decimal"))?;
            Value::Decimal {
                unscaled: i128::from_be_bytes(bytes),
                scale: decode_scale(decimal.scale)?,
            }
        }
        Kind::Bool(v) => Value::Bool(v),
        Kind::Text(v) => Value::Text(v),
        Kind::Date(v) => Value::Date(v),
        Kind::Timestamp(v) => Value::Timestamp(v),
    })
}

#[cfg(test)]
mod tests;
