//! Column types and literal values: what data below the frontier can be made of.
//!
//! There is no floating point: removing one person from an exact sum changes only the cells that they are in, and any
//! two runs agree. There is no type for a person either; the unit travels beside the columns (see
//! [`crate::algebra`]), so no expression can name it.

use std::fmt;

use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

/// Precision of every decimal below the frontier, in digits: what a 128-bit integer holds.
pub const DECIMAL_PRECISION: u8 = 38;

/// Type of a column or expression below the frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// 64-bit signed integer.
    Int,
    /// Fixed point: a 128-bit integer in units of 10^-scale.
    Decimal {
        /// Decimal places kept, 0 to 18.
        scale: u8,
    },
    /// True or false.
    Bool,
    /// UTF-8 text; also the type of an entity column, which holds the project's pseudonyms.
    Text,
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
}

impl ColumnType {
    /// The Arrow type in dataset files, cells and messages.
    pub fn arrow(self) -> DataType {
        match self {
            ColumnType::Int => DataType::Int64,
            ColumnType::Decimal { scale } => DataType::Decimal128(DECIMAL_PRECISION, scale as i8),
            ColumnType::Bool => DataType::Boolean,
            ColumnType::Text => DataType::Utf8,
            ColumnType::Date => DataType::Date32,
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }

    /// Whether values of this type can be added up.
    pub fn is_numeric(self) -> bool {
        matches!(self, ColumnType::Int | ColumnType::Decimal { .. })
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnType::Int => f.write_str("int"),
            ColumnType::Decimal { scale } => write!(f, "decimal({scale})"),
            ColumnType::Bool => f.write_str("bool"),
            ColumnType::Text => f.write_str("text"),
            ColumnType::Date => f.write_str("date"),
            ColumnType::Timestamp => f.write_str("timestamp"),
        }
    }
}

/// A literal. NULL carries its type, so that every expression has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// NULL of a type.
    Null(ColumnType),
    /// An integer.
    Int(i64),
    /// `unscaled` × 10^-`scale`.
    Decimal {
        /// The digits as an integer.
        #[serde(with = "i128_text")]
        unscaled: i128,
        /// Decimal places.
        scale: u8,
    },
    /// True or false.
    Bool(bool),
    /// Text.
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

impl Value {
    /// The type of this value.
    pub fn column_type(&self) -> ColumnType {
        match self {
            Value::Null(ty) => *ty,
            Value::Int(_) => ColumnType::Int,
            Value::Decimal { scale, .. } => ColumnType::Decimal { scale: *scale },
            Value::Bool(_) => ColumnType::Bool,
            Value::Text(_) => ColumnType::Text,
            Value::Date(_) => ColumnType::Date,
            Value::Timestamp(_) => ColumnType::Timestamp,
        }
    }
}

/// JSON numbers lose digits past 2^53 in many readers, so wide integers travel as text.
mod i128_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}
