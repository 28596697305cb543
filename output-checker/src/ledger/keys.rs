//! The keys of a group as bytes: equal for equal keys, whatever table they stand in.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};

use tre_core::types::ColumnType;

/// The keys of every row. `None` when a column is not of its type.
pub(super) fn of_rows(columns: &[ArrayRef], types: &[ColumnType], rows: usize) -> Option<Vec<Vec<u8>>> {
    let mut keys = vec![Vec::new(); rows];
    for (column, column_type) in columns.iter().zip(types) {
        if column.len() != rows || column.data_type() != &column_type.arrow() {
            return None;
        }
        match column_type {
            ColumnType::Int => {
                let values = column.as_primitive_opt::<Int64Type>()?;
                append(&mut keys, values.iter().map(|v| v.map(i64::to_le_bytes)));
            }
            ColumnType::Decimal { .. } => {
                let values = column.as_primitive_opt::<Decimal128Type>()?;
                append(&mut keys, values.iter().map(|v| v.map(i128::to_le_bytes)));
            }
            ColumnType::Date => {
                let values = column.as_primitive_opt::<Date32Type>()?;
                append(&mut keys, values.iter().map(|v| v.map(i32::to_le_bytes)));
            }
            ColumnType::Timestamp => {
                let values = column.as_primitive_opt::<TimestampMicrosecondType>()?;
                append(&mut keys, values.iter().map(|v| v.map(i64::to_le_bytes)));
            }
            ColumnType::Bool => {
                append(
                    &mut keys,
                    column.as_boolean_opt()?.iter().map(|v| v.map(|v| [u8::from(v)])),
                );
            }
            ColumnType::Text => append(&mut keys, column.as_string_opt::<i32>()?.iter()),
        }
    }
    Some(keys)
}

/// Appends one key: nothing for NULL but a zero, else a one, its length and its bytes.
fn append<V: AsRef<[u8]>>(keys: &mut [Vec<u8>], values: impl Iterator<Item = Option<V>>) {
    for (key, value) in keys.iter_mut().zip(values) {
        match value {
            None => key.push(0),
            Some(value) => {
                let bytes = value.as_ref();
                key.push(1);
                key.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                key.extend_from_slice(bytes);
            }
        }
    }
}
