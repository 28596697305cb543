//! Types and values between their types and their messages.

use tre_core::types::{ColumnType, Value};

use crate::worker::v1 as wire;

use super::DecodeError;

pub(super) fn encode_type(ty: ColumnType) -> wire::Type {
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

pub(super) fn decode_type(message: wire::Type) -> Result<ColumnType, DecodeError> {
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

pub(super) fn encode_value(value: &Value) -> wire::Value {
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

pub(super) fn decode_value(message: wire::Value) -> Result<Value, DecodeError> {
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
