//! Treated cells: the only form in which anything about people goes further.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int32Array, PrimitiveArray, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use tre_core::evidence::{CellLayout, LayoutError};
use tre_core::status::{SUPPRESSED_FROM, StatusCode};

/// Cells that the checker has judged and treated. Only [`check`](crate::check()) makes them.
///
/// | column | type | meaning |
/// |---|---|---|
/// | `k0`… | key types, nullable | group keys, in the frontier's order |
/// | `v0`… | `Int64` (counts), `Decimal128(38, s)` (sums), nullable | values; NULL where suppressed, and where nobody has a value to sum |
/// | `s0`… | `Int32`, not NULL | the [`StatusCode`](tre_core::status::StatusCode) of each value |
///
/// Rows are in the order of their keys: declared values first, in the declared order, then others ascending, NULL last.
#[derive(Debug, Clone, PartialEq)]
pub struct TreatedCells {
    batch: RecordBatch,
}

impl TreatedCells {
    /// The schema of treated cells of a layout.
    ///
    /// # Errors
    /// [`LayoutError::Argument`] when a value names an argument that does not exist or is not numeric.
    pub fn schema(layout: &CellLayout) -> Result<SchemaRef, LayoutError> {
        let mut fields = Vec::new();
        for (i, key) in layout.keys.iter().enumerate() {
            fields.push(Field::new(format!("k{i}"), key.arrow(), true));
        }
        for (i, kind) in layout.values.iter().enumerate() {
            fields.push(Field::new(format!("v{i}"), layout.value_type(*kind)?, true));
        }
        for i in 0..layout.values.len() {
            fields.push(Field::new(format!("s{i}"), DataType::Int32, false));
        }
        Ok(Arc::new(Schema::new(fields)))
    }

    /// The cells.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    pub(crate) fn new(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<Self, ArrowError> {
        Ok(TreatedCells {
            batch: RecordBatch::try_new(schema, columns)?,
        })
    }

    /// Suppresses further values: `hide` has a list per value with an entry per row.
    ///
    /// Under a NULL of the new arrays lies zero, and not what was there before: the buffers leave as they are.
    pub(crate) fn suppress(&mut self, hide: &[Vec<bool>], code: StatusCode) {
        let schema = self.batch.schema();
        let mut columns = self.batch.columns().to_vec();
        for (i, hide) in hide.iter().enumerate() {
            let (value, status) = (
                schema.index_of(&format!("v{i}")),
                schema.index_of(&format!("s{i}")),
            );
            let (Ok(value), Ok(status)) = (value, status) else {
                continue;
            };
            let (Some(values), Some(statuses)) = (columns.get(value), columns.get(status)) else {
                continue;
            };
            let hidden = |row: usize| hide.get(row).copied().unwrap_or(true);
            let values: ArrayRef = if let Some(counts) = values.as_primitive_opt::<Int64Type>() {
                Arc::new(kept(counts, hidden))
            } else if let Some(sums) = values.as_primitive_opt::<Decimal128Type>() {
                Arc::new(kept(sums, hidden))
            } else {
                // Smallest and largest values of other types are not told across levels.
                continue;
            };
            let old = statuses.as_primitive::<Int32Type>().values().iter().enumerate();
            let new = old.map(|(row, old)| match hidden(row) && *old < SUPPRESSED_FROM {
                true => code.as_i32(),
                false => *old,
            });
            let new: ArrayRef = Arc::new(new.collect::<Int32Array>());
            columns.splice(value..=value, [values]);
            columns.splice(status..=status, [new]);
        }
        self.batch = RecordBatch::try_new(Arc::clone(&schema), columns)
            .unwrap_or_else(|_| RecordBatch::new_empty(schema));
    }

    /// No row at all.
    pub(crate) fn nothing(schema: SchemaRef) -> Self {
        TreatedCells {
            batch: RecordBatch::new_empty(schema),
        }
    }
}

/// The values that are not hidden.
fn kept<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    hidden: impl Fn(usize) -> bool,
) -> PrimitiveArray<T> {
    let kept = values
        .iter()
        .enumerate()
        .map(|(row, value)| value.filter(|_| !hidden(row)));
    kept.collect::<PrimitiveArray<T>>()
        .with_data_type(values.data_type().clone())
}
