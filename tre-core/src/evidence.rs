//! Base cells with their evidence, as Arrow batches: what the data worker answers and the checker reads.
//!
//! One row is one base group of a frontier. Its columns, in this order ([`CellLayout::schema`]):
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `k0`… | key types | group keys, in the frontier's order |
//! | `v0`… | `Int64` (counts), `Decimal128(38, s)` (sums) | aggregate values; a sum is NULL where no row has a value |
//! | `rows` | `UInt64` | rows of the group |
//! | `units` | `UInt64` | units with a row |
//! | `a0_rows`… | `UInt64` | per argument: rows where it is not NULL |
//! | `a0_present`… | `UInt64` | units with such a row |
//! | `a0_nonzero`… | `UInt64` | numeric arguments: units whose rows are not all zero or NULL; else equal to present |
//! | `a0_top1`, `a0_top2`… | `Decimal128(38, s)` | numeric: the two largest |net contribution| of one unit; 0 where there is none |
//! | `a0_min`, `a0_max`… | `Decimal128(38, s)` | numeric: smallest and largest row value, NULL where there is none |
//! | `null_of_a0`… | `UInt64` | units with a row where the argument is NULL |
//! | `p0_1`… | `UInt64` | per ordered pair of arguments (i, j), i ≠ j: units with a row where i is not NULL and j is |
//!
//! Arguments are [`Frontier::arguments`](crate::algebra::Frontier::arguments); an integer argument has scale 0. The
//! row itself, which `count(*)` and `count(distinct pid)` count, is the argument that is never NULL: its pairs are
//! `null_of_a*`, and no row has it NULL.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Decimal128Array, Int64Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::types::{ColumnType, DECIMAL_PRECISION};

/// Shape of the base cells of one frontier: enough to read the batches without the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellLayout {
    /// Types of the group keys.
    pub keys: Vec<ColumnType>,
    /// Aggregate values, in the frontier's order.
    pub values: Vec<ValueKind>,
    /// Arguments, in the order of [`Frontier::arguments`](crate::algebra::Frontier::arguments): the type of each.
    pub arguments: Vec<ColumnType>,
}

/// What one aggregate value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Rows of the group.
    CountRows,
    /// Units with a row.
    CountUnits,
    /// Rows where argument number `argument` is not NULL.
    Count {
        /// Index in [`CellLayout::arguments`].
        argument: usize,
    },
    /// Sum of argument number `argument`.
    Sum {
        /// Index in [`CellLayout::arguments`].
        argument: usize,
    },
}

impl ValueKind {
    /// The argument that it reads; `None` for the row itself.
    pub fn argument(self) -> Option<usize> {
        match self {
            ValueKind::CountRows | ValueKind::CountUnits => None,
            ValueKind::Count { argument } | ValueKind::Sum { argument } => Some(argument),
        }
    }

    /// Magnitudes are rounded to significant digits; counts are not.
    pub fn is_magnitude(self) -> bool {
        matches!(self, ValueKind::Sum { .. })
    }
}

/// A batch that is not of the layout that it was announced with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Columns or types differ.
    #[error("base cells have other columns than their layout: {0}")]
    Schema(String),
    /// The layout refers to an argument that it does not have.
    #[error("the layout names argument {0}, which it does not have")]
    Argument(usize),
    /// Counts contradict each other, so that the worker cannot be right.
    #[error("evidence contradicts itself in row {row}: {what}")]
    Contradiction {
        /// Row of the batch.
        row: usize,
        /// What does not fit.
        what: &'static str,
    },
}

/// Decimal type of an argument's contributions, `None` for an argument that is not numeric.
fn contribution_type(argument: ColumnType) -> Option<DataType> {
    match argument {
        ColumnType::Int => Some(DataType::Decimal128(DECIMAL_PRECISION, 0)),
        ColumnType::Decimal { scale } => Some(DataType::Decimal128(DECIMAL_PRECISION, scale as i8)),
        ColumnType::Bool | ColumnType::Text | ColumnType::Date | ColumnType::Timestamp => None,
    }
}

impl CellLayout {
    /// The Arrow type of a value.
    ///
    /// # Errors
    /// [`LayoutError::Argument`] when the value names an argument that does not exist or is not numeric.
    pub fn value_type(&self, kind: ValueKind) -> Result<DataType, LayoutError> {
        match kind {
            ValueKind::CountRows | ValueKind::CountUnits => Ok(DataType::Int64),
            ValueKind::Count { argument } => match self.arguments.get(argument) {
                Some(_) => Ok(DataType::Int64),
                None => Err(LayoutError::Argument(argument)),
            },
            ValueKind::Sum { argument } => self
                .arguments
                .get(argument)
                .and_then(|ty| contribution_type(*ty))
                .ok_or(LayoutError::Argument(argument)),
        }
    }

    /// The schema of the batches.
    ///
    /// # Errors
    /// [`LayoutError::Argument`] when a value names an argument that does not exist or is not numeric.
    pub fn schema(&self) -> Result<SchemaRef, LayoutError> {
        let mut fields = Vec::new();
        for (i, key) in self.keys.iter().enumerate() {
            fields.push(Field::new(format!("k{i}"), key.arrow(), true));
        }
        for (i, kind) in self.values.iter().enumerate() {
            fields.push(Field::new(format!("v{i}"), self.value_type(*kind)?, kind.is_magnitude()));
        }
        let count = |name: String| Field::new(name, DataType::UInt64, false);
        fields.push(count("rows".into()));
        fields.push(count("units".into()));
        for (i, argument) in self.arguments.iter().enumerate() {
            fields.push(count(format!("a{i}_rows")));
            fields.push(count(format!("a{i}_present")));
            fields.push(count(format!("a{i}_nonzero")));
            if let Some(decimal) = contribution_type(*argument) {
                fields.push(Field::new(format!("a{i}_top1"), decimal.clone(), false));
                fields.push(Field::new(format!("a{i}_top2"), decimal.clone(), false));
                fields.push(Field::new(format!("a{i}_min"), decimal.clone(), true));
                fields.push(Field::new(format!("a{i}_max"), decimal, true));
            }
        }
        for i in 0..self.arguments.len() {
            fields.push(count(format!("null_of_a{i}")));
        }
        for i in 0..self.arguments.len() {
            for j in (0..self.arguments.len()).filter(|j| *j != i) {
                fields.push(count(format!("p{i}_{j}")));
            }
        }
        Ok(Arc::new(Schema::new(fields)))
    }
}

/// All base cells of one frontier, checked against their layout. The only way in is [`BaseCells::new`].
#[derive(Debug, Clone)]
pub struct BaseCells {
    layout: CellLayout,
    batch: RecordBatch,
}

impl BaseCells {
    /// Takes a batch from a worker.
    ///
    /// # Errors
    /// [`LayoutError`] when schema and layout differ, or when counts contradict each other (more units than rows,
    /// more units present than units): a worker that says so is not to be believed in anything.
    pub fn new(layout: CellLayout, batch: RecordBatch) -> Result<Self, LayoutError> {
        let expected = layout.schema()?;
        if batch.schema().fields() != expected.fields() {
            return Err(LayoutError::Schema(format!("{:?}", batch.schema().fields().iter().map(|f| f.name()).collect::<Vec<_>>())));
        }
        let cells = BaseCells { layout, batch };
        cells.check_counts()?;
        Ok(cells)
    }

    /// The layout.
    pub fn layout(&self) -> &CellLayout {
        &self.layout
    }

    /// Number of base groups.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there is no group at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batch, in the layout's schema.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// The key columns.
    pub fn keys(&self) -> &[ArrayRef] {
        self.batch.columns().get(..self.layout.keys.len()).unwrap_or_default()
    }

    /// An aggregate's values.
    pub fn value(&self, index: usize) -> Option<&ArrayRef> {
        self.batch.columns().get(self.layout.keys.len() + index)
    }

    /// Rows of a group; 0 for a row that does not exist, as for every other accessor.
    pub fn rows(&self, row: usize) -> u64 {
        self.count("rows", row)
    }

    /// Units with a row in the group.
    pub fn units(&self, row: usize) -> u64 {
        self.count("units", row)
    }

    /// Units with a row where the value's argument is not NULL; for the row itself, units with a row.
    pub fn present(&self, argument: Option<usize>, row: usize) -> u64 {
        match argument {
            None => self.units(row),
            Some(i) => self.count(&format!("a{i}_present"), row),
        }
    }

    /// Rows where the argument is not NULL.
    pub fn argument_rows(&self, argument: usize, row: usize) -> u64 {
        self.count(&format!("a{argument}_rows"), row)
    }

    /// Units whose rows are not all zero or NULL.
    pub fn nonzero(&self, argument: usize, row: usize) -> u64 {
        self.count(&format!("a{argument}_nonzero"), row)
    }

    /// Units with a row that `a` counts and `b` does not; `None` stands for the row itself.
    pub fn counted_without(&self, a: Option<usize>, b: Option<usize>, row: usize) -> u64 {
        match (a, b) {
            (_, None) => 0,
            (None, Some(j)) => self.count(&format!("null_of_a{j}"), row),
            (Some(i), Some(j)) if i == j => 0,
            (Some(i), Some(j)) => self.count(&format!("p{i}_{j}"), row),
        }
    }

    /// The two largest absolute net contributions of one unit, unscaled; `None` for arguments that are not numeric.
    pub fn top_two(&self, argument: usize, row: usize) -> Option<(i128, i128)> {
        Some((self.decimal(&format!("a{argument}_top1"), row)?, self.decimal(&format!("a{argument}_top2"), row)?))
    }

    /// Smallest and largest row value, unscaled; `None` where there is no value or the argument is not numeric.
    pub fn min_max(&self, argument: usize, row: usize) -> Option<(i128, i128)> {
        Some((self.decimal(&format!("a{argument}_min"), row)?, self.decimal(&format!("a{argument}_max"), row)?))
    }

    fn count(&self, name: &str, row: usize) -> u64 {
        let column = self.batch.column_by_name(name).and_then(|c| c.as_any().downcast_ref::<UInt64Array>());
        match column {
            Some(counts) if row < counts.len() => counts.value(row),
            _ => 0,
        }
    }

    fn decimal(&self, name: &str, row: usize) -> Option<i128> {
        let column = self.batch.column_by_name(name)?.as_any().downcast_ref::<Decimal128Array>()?;
        (row < column.len() && column.is_valid(row)).then(|| column.value(row))
    }

    fn check_counts(&self) -> Result<(), LayoutError> {
        let wrong = |row, what| Err(LayoutError::Contradiction { row, what });
        for row in 0..self.len() {
            let (rows, units) = (self.rows(row), self.units(row));
            if units > rows || (rows > 0 && units == 0) {
                return wrong(row, "units and rows");
            }
            for a in 0..self.layout.arguments.len() {
                let (present, with, nulls) =
                    (self.present(Some(a), row), self.argument_rows(a, row), self.counted_without(None, Some(a), row));
                if present > units || with > rows || present > with || (with > 0 && present == 0) {
                    return wrong(row, "units present in an argument");
                }
                if nulls > units || present + nulls < units || (with == rows) != (nulls == 0) {
                    return wrong(row, "units with a NULL argument");
                }
                if self.nonzero(a, row) > present {
                    return wrong(row, "units with a value that is not zero");
                }
                if self.min_max(a, row).is_some_and(|(min, max)| min > max)
                    || self.top_two(a, row).is_some_and(|(first, second)| second > first || second < 0)
                {
                    return wrong(row, "extremes");
                }
            }
            for (i, kind) in self.layout.values.iter().enumerate() {
                let expected = match kind {
                    ValueKind::CountRows => rows,
                    ValueKind::CountUnits => units,
                    ValueKind::Count { argument } => self.argument_rows(*argument, row),
                    ValueKind::Sum { .. } => continue,
                };
                let value = self.value(i).and_then(|c| c.as_any().downcast_ref::<Int64Array>()).map(|c| c.value(row));
                if value != i64::try_from(expected).ok() {
                    return wrong(row, "a count and its evidence");
                }
            }
        }
        Ok(())
    }
}
