//! Treated cells: the only form in which anything about people goes further.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use tre_core::evidence::{CellLayout, LayoutError};

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

    /// No row at all.
    pub(crate) fn nothing(schema: SchemaRef) -> Self {
        TreatedCells {
            batch: RecordBatch::new_empty(schema),
        }
    }
}
