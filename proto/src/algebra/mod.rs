//! The algebra between its types and its protobuf.
//!
//! Encoding never fails. Decoding refuses whatever the types cannot say: a missing field, an unknown operator, a name
//! that is none, more than [`MAX_BYTES`] bytes. Depth is bounded by the protobuf decoder (100 messages) before this code
//! recurses, and again, with node counts, by `tre_core::algebra::resolve`.

use prost::Message;
use tre_core::algebra::{Aggregate, Argument, Frontier, Quantity};

use crate::worker::v1 as wire;

mod exprs;
mod nodes;
mod values;

pub use exprs::{decode_expr, encode_expr};
pub use nodes::decode_scan;

use exprs::{decode_named, encode_named};
use nodes::{decode_node, encode_node};

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
        arguments: frontier.arguments.iter().map(encode_argument).collect(),
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
        arguments: message
            .arguments
            .into_iter()
            .map(decode_argument)
            .collect::<Result<_, _>>()?,
    })
}

fn encode_argument(argument: &Argument) -> wire::Argument {
    use wire::argument::Quantity as Kind;
    let quantity = match argument.quantity {
        Quantity::Row => Kind::Row(true),
        Quantity::Column(column) => Kind::Column(position(column)),
        Quantity::Product(left, right) => Kind::Product(wire::Product {
            left: position(left),
            right: position(right),
        }),
    };
    wire::Argument {
        when: argument.when.as_ref().map(encode_expr),
        quantity: Some(quantity),
    }
}

fn decode_argument(message: wire::Argument) -> Result<Argument, DecodeError> {
    use wire::argument::Quantity as Kind;
    let quantity = match message.quantity.ok_or(DecodeError::Missing("quantity"))? {
        Kind::Row(true) => Quantity::Row,
        Kind::Row(false) => return Err(DecodeError::Unknown("quantity")),
        Kind::Column(column) => Quantity::Column(column as usize),
        Kind::Product(product) => Quantity::Product(product.left as usize, product.right as usize),
    };
    Ok(Argument {
        when: message.when.map(decode_expr).transpose()?,
        quantity,
    })
}

fn encode_aggregate(aggregate: Aggregate) -> wire::Aggregate {
    use wire::aggregate::Kind;
    let kind = match aggregate {
        Aggregate::CountRows => Kind::CountRows(true),
        Aggregate::CountUnits => Kind::CountUnits(true),
        Aggregate::Count(argument) => Kind::Count(position(argument)),
        Aggregate::CountUnitsOf(argument) => Kind::CountUnitsOf(position(argument)),
        Aggregate::Sum(argument) => Kind::Sum(position(argument)),
        Aggregate::Min(argument) => Kind::Min(position(argument)),
        Aggregate::Max(argument) => Kind::Max(position(argument)),
        Aggregate::Comoment { x, y, products } => Kind::Comoment(wire::Comoment {
            x: position(x),
            y: position(y),
            products: position(products),
        }),
    };
    wire::Aggregate { kind: Some(kind) }
}

fn decode_aggregate(message: wire::Aggregate) -> Result<Aggregate, DecodeError> {
    use wire::aggregate::Kind;
    match message.kind.ok_or(DecodeError::Missing("aggregate"))? {
        Kind::CountRows(true) => Ok(Aggregate::CountRows),
        Kind::CountUnits(true) => Ok(Aggregate::CountUnits),
        Kind::CountRows(false) | Kind::CountUnits(false) => Err(DecodeError::Unknown("aggregate")),
        Kind::Count(argument) => Ok(Aggregate::Count(argument as usize)),
        Kind::CountUnitsOf(argument) => Ok(Aggregate::CountUnitsOf(argument as usize)),
        Kind::Sum(argument) => Ok(Aggregate::Sum(argument as usize)),
        Kind::Min(argument) => Ok(Aggregate::Min(argument as usize)),
        Kind::Max(argument) => Ok(Aggregate::Max(argument as usize)),
        Kind::Comoment(of) => Ok(Aggregate::Comoment {
            x: of.x as usize,
            y: of.y as usize,
            products: of.products as usize,
        }),
    }
}

/// Positions are far below 2^32 (`MAX_NODES`); a larger one becomes one that no relation has.
fn position(column: usize) -> u32 {
    u32::try_from(column).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
