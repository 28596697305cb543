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
//! | `a0_nonzero`… | `UInt64` | numeric arguments: units whose net contribution is not zero; else equal to present |
//! | `a0_top1`, `a0_top2`… | `Decimal128(38, s)` | numeric: the two largest |net contribution| of one unit; 0 where there is none |
//! | `a0_unlike`… | `UInt64` | numeric, where values are told apart: units whose net contribution is not the most frequent one of those present; the largest number that is told apart stands for itself and all above |
//! | `a0_min`, `a0_max`… | `Decimal128(38, s)` | numeric: smallest and largest row value, NULL where there is none |
//! | `a0_min_units`, `a0_max_units`… | `UInt64` | arguments of min or max: units with a row of that value |
//! | `null_of_a0`… | `UInt64` | units with a row where the argument is NULL |
//! | `p0_1`… | `UInt64` | per ordered pair of arguments (i, j), i ≠ j: units with a row where i is not NULL and j is |
//! | `d0_1`… | `UInt64` | per pair of numeric arguments of one scale, i < j: units whose net contributions differ |
//! | `units_hash`… | `FixedSizeBinary` | where a ledger is kept: the sets of units and of units present ([`sketch`]) |
//!
//! Arguments are [`Frontier::arguments`](crate::algebra::Frontier::arguments); an integer argument has scale 0, and so
//! has a date (days) or timestamp (microseconds) that min or max reads. The row itself, which `count(*)` and `count(distinct pid)` count, is the argument that is never NULL: its pairs are
//! `null_of_a*`, and no row has it NULL.

mod cells;
mod consistency;
pub mod sketch;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::sketch::SketchShape;
use crate::types::{ColumnType, DECIMAL_PRECISION};

pub use cells::BaseCells;

/// Most arguments of one frontier: what one unit did in a group then fits into 128 flags.
pub const MAX_ARGUMENTS: usize = 10;

/// Shape of the base cells of one frontier: enough to read the batches without the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellLayout {
    /// Types of the group keys.
    pub keys: Vec<ColumnType>,
    /// Aggregate values, in the frontier's order.
    pub values: Vec<ValueKind>,
    /// Arguments, in the order of [`Frontier::arguments`](crate::algebra::Frontier::arguments): the type of each.
    pub arguments: Vec<ColumnType>,
    /// Unit-set sketches of every group and argument; `None` where no ledger is kept.
    pub sketch: Option<SketchShape>,
    /// Up to how many units of a group are told apart by what they contribute to numeric arguments; `None` where no rule
    /// asks.
    pub unlike: Option<u32>,
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
    /// Units with a row where argument number `argument` is not NULL.
    CountUnitsOf {
        /// Index in [`CellLayout::arguments`].
        argument: usize,
    },
    /// Sum of argument number `argument`.
    Sum {
        /// Index in [`CellLayout::arguments`].
        argument: usize,
    },
    /// Smallest value of argument number `argument`.
    Min {
        /// Index in [`CellLayout::arguments`].
        argument: usize,
    },
    /// Largest value of argument number `argument`.
    Max {
        /// Index in [`CellLayout::arguments`].
        argument: usize,
    },
    /// n·Σxy − Σx·Σy of two arguments over the rows where their product has a value.
    Comoment {
        /// Index of x in [`CellLayout::arguments`].
        x: usize,
        /// Index of y.
        y: usize,
        /// Index of their product.
        products: usize,
    },
}

impl ValueKind {
    /// The argument that it reads; `None` for the row itself.
    pub fn argument(self) -> Option<usize> {
        match self {
            ValueKind::CountRows | ValueKind::CountUnits => None,
            ValueKind::Count { argument }
            | ValueKind::CountUnitsOf { argument }
            | ValueKind::Sum { argument }
            | ValueKind::Min { argument }
            | ValueKind::Max { argument } => Some(argument),
            ValueKind::Comoment { products, .. } => Some(products),
        }
    }

    /// Magnitudes are rounded to significant digits; counts are not.
    pub fn is_magnitude(self) -> bool {
        matches!(self, ValueKind::Sum { .. } | ValueKind::Comoment { .. })
    }

    /// A number of people or rows.
    pub fn is_count(self) -> bool {
        !self.is_magnitude() && !self.is_extreme()
    }

    /// A value of one row, shown as it is.
    pub fn is_extreme(self) -> bool {
        matches!(self, ValueKind::Min { .. } | ValueKind::Max { .. })
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

/// Decimal type that holds any value of an argument that min and max can read; `None` where they cannot.
fn extreme_type(argument: ColumnType) -> Option<DataType> {
    match argument {
        ColumnType::Date | ColumnType::Timestamp => Some(DataType::Decimal128(DECIMAL_PRECISION, 0)),
        ColumnType::Int | ColumnType::Decimal { .. } => contribution_type(argument),
        ColumnType::Bool | ColumnType::Text => None,
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
            ValueKind::Count { argument } | ValueKind::CountUnitsOf { argument } => {
                match self.arguments.get(argument) {
                    Some(_) => Ok(DataType::Int64),
                    None => Err(LayoutError::Argument(argument)),
                }
            }
            ValueKind::Min { argument } | ValueKind::Max { argument } => self
                .arguments
                .get(argument)
                .filter(|ty| extreme_type(**ty).is_some())
                .map(|ty| ty.arrow())
                .ok_or(LayoutError::Argument(argument)),
            ValueKind::Sum { argument }
            | ValueKind::Comoment {
                products: argument, ..
            } => self
                .arguments
                .get(argument)
                .and_then(|ty| contribution_type(*ty))
                .ok_or(LayoutError::Argument(argument)),
        }
    }

    /// Type of an argument's smallest and largest row value, where the evidence has them.
    pub fn range_type(&self, argument: usize) -> Option<DataType> {
        let column_type = *self.arguments.get(argument)?;
        if self.has_extreme(argument) {
            extreme_type(column_type)
        } else {
            contribution_type(column_type)
        }
    }

    /// Whether a smallest or largest value of the argument is asked for.
    pub fn has_extreme(&self, argument: usize) -> bool {
        let mut values = self.values.iter();
        values.any(|kind| kind.is_extreme() && kind.argument() == Some(argument))
    }

    /// Pairs of numeric arguments of one scale, smaller index first: their sums could be taken from one another.
    pub fn comparable_pairs(&self) -> Vec<(usize, usize)> {
        let numeric = |i: usize| self.arguments.get(i).and_then(|ty| contribution_type(*ty));
        let mut pairs = Vec::new();
        for i in 0..self.arguments.len() {
            for j in i + 1..self.arguments.len() {
                if numeric(i).is_some() && numeric(i) == numeric(j) {
                    pairs.push((i, j));
                }
            }
        }
        pairs
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
            fields.push(Field::new(
                format!("v{i}"),
                self.value_type(*kind)?,
                kind.is_magnitude() || kind.is_extreme(),
            ));
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
                fields.push(Field::new(format!("a{i}_top2"), decimal, false));
                if self.unlike.is_some() {
                    fields.push(count(format!("a{i}_unlike")));
                }
            }
            if let Some(decimal) = self.range_type(i) {
                fields.push(Field::new(format!("a{i}_min"), decimal.clone(), true));
                fields.push(Field::new(format!("a{i}_max"), decimal, true));
            }
            if self.has_extreme(i) {
                fields.push(count(format!("a{i}_min_units")));
                fields.push(count(format!("a{i}_max_units")));
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
        for (i, j) in self.comparable_pairs() {
            fields.push(count(format!("d{i}_{j}")));
        }
        fields.extend(sketch::fields(self));
        Ok(Arc::new(Schema::new(fields)))
    }
}
