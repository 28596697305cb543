//! Relational nodes between their types and their messages.

use tre_core::algebra::{Expr, JoinKind, Node, Ordering, UnitCall};

use crate::worker::v1 as wire;

use super::exprs::{decode_expr, decode_named, encode_expr, encode_named};
use super::{DecodeError, position};

pub(super) fn encode_node(node: &Node) -> wire::Node {
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
        Node::JoinUnit {
            kind,
            left,
            right,
            on,
            condition,
        } => Kind::JoinUnit(encode_join(*kind, left, right, on, condition.as_ref())),
        Node::JoinPublic {
            kind,
            left,
            right,
            on,
            condition,
        } => Kind::JoinPublic(encode_join(*kind, left, right, on, condition.as_ref())),
        Node::Union { inputs } => Kind::Union(wire::Union {
            inputs: inputs.iter().map(encode_node).collect(),
        }),
        Node::PerUnit { input, keys, calls } => Kind::PerUnit(Box::new(wire::PerUnit {
            input: Some(Box::new(encode_node(input))),
            keys: keys.iter().map(|(name, expr)| encode_named(name, expr)).collect(),
            calls: calls.iter().map(|(name, call)| encode_call(name, call)).collect(),
        })),
        Node::Number {
            input,
            partition,
            order,
        } => Kind::Number(Box::new(wire::Number {
            input: Some(Box::new(encode_node(input))),
            partition: partition.iter().map(encode_expr).collect(),
            order: order.iter().map(encode_ordering).collect(),
        })),
    };
    wire::Node { node: Some(kind) }
}

fn encode_call(name: &str, call: &UnitCall) -> wire::UnitCall {
    use wire::unit_call::Call as Kind;
    let kind = match call {
        UnitCall::CountRows => Kind::CountRows(true),
        UnitCall::Count(e) => Kind::Count(encode_expr(e)),
        UnitCall::CountDistinct(e) => Kind::CountDistinct(encode_expr(e)),
        UnitCall::Sum(e) => Kind::Sum(encode_expr(e)),
        UnitCall::Min(e) => Kind::Min(encode_expr(e)),
        UnitCall::Max(e) => Kind::Max(encode_expr(e)),
    };
    wire::UnitCall {
        name: name.to_owned(),
        call: Some(kind),
    }
}

fn decode_call(message: wire::UnitCall) -> Result<(String, UnitCall), DecodeError> {
    use wire::unit_call::Call as Kind;
    let call = match message.call.ok_or(DecodeError::Missing("aggregate"))? {
        Kind::CountRows(true) => UnitCall::CountRows,
        Kind::CountRows(false) => return Err(DecodeError::Unknown("aggregate")),
        Kind::Count(e) => UnitCall::Count(decode_expr(e)?),
        Kind::CountDistinct(e) => UnitCall::CountDistinct(decode_expr(e)?),
        Kind::Sum(e) => UnitCall::Sum(decode_expr(e)?),
        Kind::Min(e) => UnitCall::Min(decode_expr(e)?),
        Kind::Max(e) => UnitCall::Max(decode_expr(e)?),
    };
    Ok((message.name, call))
}

fn encode_ordering(ordering: &Ordering) -> wire::Ordering {
    wire::Ordering {
        by: Some(encode_expr(&ordering.by)),
        descending: ordering.descending,
        nulls_first: ordering.nulls_first,
    }
}

fn decode_ordering(message: wire::Ordering) -> Result<Ordering, DecodeError> {
    Ok(Ordering {
        by: decode_expr(message.by.ok_or(DecodeError::Missing("order"))?)?,
        descending: message.descending,
        nulls_first: message.nulls_first,
    })
}

fn encode_kind(kind: JoinKind) -> wire::JoinKind {
    match kind {
        JoinKind::Inner => wire::JoinKind::Inner,
        JoinKind::Left => wire::JoinKind::Left,
        JoinKind::Semi => wire::JoinKind::Semi,
        JoinKind::Anti => wire::JoinKind::Anti,
    }
}

fn decode_kind(kind: wire::JoinKind) -> Result<JoinKind, DecodeError> {
    match kind {
        wire::JoinKind::Inner => Ok(JoinKind::Inner),
        wire::JoinKind::Left => Ok(JoinKind::Left),
        wire::JoinKind::Semi => Ok(JoinKind::Semi),
        wire::JoinKind::Anti => Ok(JoinKind::Anti),
        wire::JoinKind::Unspecified => Err(DecodeError::Unknown("kind of join")),
    }
}

fn encode_join(
    kind: JoinKind,
    left: &Node,
    right: &Node,
    on: &[(usize, usize)],
    condition: Option<&Expr>,
) -> Box<wire::Join> {
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
        kind: encode_kind(kind) as i32,
        condition: condition.map(encode_expr),
    })
}

pub(super) fn decode_node(message: wire::Node) -> Result<Node, DecodeError> {
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
            let Sides {
                kind,
                left,
                right,
                on,
                condition,
            } = decode_join(*join)?;
            Ok(Node::JoinUnit {
                kind,
                left,
                right,
                on,
                condition,
            })
        }
        Kind::JoinPublic(join) => {
            let Sides {
                kind,
                left,
                right,
                on,
                condition,
            } = decode_join(*join)?;
            Ok(Node::JoinPublic {
                kind,
                left,
                right,
                on,
                condition,
            })
        }
        Kind::Union(union) => Ok(Node::Union {
            inputs: union
                .inputs
                .into_iter()
                .map(decode_node)
                .collect::<Result<_, _>>()?,
        }),
        Kind::PerUnit(grouped) => Ok(Node::PerUnit {
            input: boxed_node(grouped.input)?,
            keys: grouped
                .keys
                .into_iter()
                .map(decode_named)
                .collect::<Result<_, _>>()?,
            calls: grouped
                .calls
                .into_iter()
                .map(decode_call)
                .collect::<Result<_, _>>()?,
        }),
        Kind::Number(number) => Ok(Node::Number {
            input: boxed_node(number.input)?,
            partition: number
                .partition
                .into_iter()
                .map(decode_expr)
                .collect::<Result<_, _>>()?,
            order: number
                .order
                .into_iter()
                .map(decode_ordering)
                .collect::<Result<_, _>>()?,
        }),
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

/// The fields of either join.
struct Sides {
    kind: JoinKind,
    left: Box<Node>,
    right: Box<Node>,
    on: Vec<(usize, usize)>,
    condition: Option<Expr>,
}

fn decode_join(join: wire::Join) -> Result<Sides, DecodeError> {
    Ok(Sides {
        kind: decode_kind(join.kind())?,
        left: boxed_node(join.left)?,
        right: boxed_node(join.right)?,
        on: join
            .on
            .iter()
            .map(|equality| (equality.left as usize, equality.right as usize))
            .collect(),
        condition: join.condition.map(decode_expr).transpose()?,
    })
}

fn boxed_node(node: Option<Box<wire::Node>>) -> Result<Box<Node>, DecodeError> {
    Ok(Box::new(decode_node(
        *node.ok_or(DecodeError::Missing("input"))?,
    )?))
}
