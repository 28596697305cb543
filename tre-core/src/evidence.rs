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
//! | `units_hash`… | `FixedSizeBinary` | where a ledger is kept: the sets of units and of units present ([`sketch`]) |
//!
//! Arguments are [`Frontier::arguments`](crate::algebra::Frontier::arguments); an integer argument has scale 0. The
//! row itself, which `count(*)` and `count(distinct pid)` count, is the argument that is never NULL: its pairs are
//! `null_of_a*`, and no row has it NULL.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Decimal128Array, Int64Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::sketch::SketchShape;
use crate::types::{ColumnType, DECIMAL_PRECISION};

pub mod sketch;

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
            fields.push(Field::new(
                format!("v{i}"),
                self.value_type(*kind)?,
                kind.is_magnitude(),
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
        fields.extend(sketch::fields(self));
        Ok(Arc::new(Schema::new(fields)))
    }
}

/// All base cells of one frontier, checked against their layout. The only way in is [`BaseCells::new`].
#[derive(Debug, Clone)]
pub struct BaseCells {
    layout: CellLayout,
    batch: RecordBatch,
    evidence: EvidenceColumns,
}

/// The evidence columns of a batch by position, looked up once: the checker reads them for every cell.
#[derive(Debug, Clone)]
struct EvidenceColumns {
    rows: UInt64Array,
    units: UInt64Array,
    arguments: Vec<ArgumentColumns>,
    /// `p{i}_{j}` at `i * arguments + j`; `None` on the diagonal.
    pairs: Vec<Option<UInt64Array>>,
}

/// The evidence columns of one argument.
#[derive(Debug, Clone)]
struct ArgumentColumns {
    rows: UInt64Array,
    present: UInt64Array,
    nonzero: UInt64Array,
    null_of: UInt64Array,
    extremes: Option<ExtremeColumns>,
}

/// The evidence columns that only numeric arguments have.
#[derive(Debug, Clone)]
struct ExtremeColumns {
    top1: Decimal128Array,
    top2: Decimal128Array,
    min: Decimal128Array,
    max: Decimal128Array,
}

impl EvidenceColumns {
    fn find(layout: &CellLayout, batch: &RecordBatch) -> Option<Self> {
        let counts = |name: &str| {
            batch
                .column_by_name(name)?
                .as_any()
                .downcast_ref::<UInt64Array>()
                .cloned()
        };
        let decimals = |name: &str| {
            batch
                .column_by_name(name)?
                .as_any()
                .downcast_ref::<Decimal128Array>()
                .cloned()
        };
        let mut arguments = Vec::with_capacity(layout.arguments.len());
        let mut pairs = Vec::with_capacity(layout.arguments.len() * layout.arguments.len());
        for (i, argument) in layout.arguments.iter().enumerate() {
            let extremes = match contribution_type(*argument) {
                None => None,
                Some(_) => Some(ExtremeColumns {
                    top1: decimals(&format!("a{i}_top1"))?,
                    top2: decimals(&format!("a{i}_top2"))?,
                    min: decimals(&format!("a{i}_min"))?,
                    max: decimals(&format!("a{i}_max"))?,
                }),
            };
            arguments.push(ArgumentColumns {
                rows: counts(&format!("a{i}_rows"))?,
                present: counts(&format!("a{i}_present"))?,
                nonzero: counts(&format!("a{i}_nonzero"))?,
                null_of: counts(&format!("null_of_a{i}"))?,
                extremes,
            });
            for j in 0..layout.arguments.len() {
                pairs.push(if i == j {
                    None
                } else {
                    Some(counts(&format!("p{i}_{j}"))?)
                });
            }
        }
        Some(EvidenceColumns {
            rows: counts("rows")?,
            units: counts("units")?,
            arguments,
            pairs,
        })
    }
}

fn count_at(column: &UInt64Array, row: usize) -> u64 {
    if row < column.len() { column.value(row) } else { 0 }
}

fn decimal_at(column: &Decimal128Array, row: usize) -> Option<i128> {
    (row < column.len() && column.is_valid(row)).then(|| column.value(row))
}

impl BaseCells {
    /// Takes a batch from a worker.
    ///
    /// # Errors
    /// [`LayoutError`] when schema and layout differ, or when the evidence contradicts itself or the values (more
    /// units than rows, more units present than units, a sum of no value that is not NULL): a worker that says so is
    /// not to be believed in anything.
    pub fn new(layout: CellLayout, batch: RecordBatch) -> Result<Self, LayoutError> {
        let expected = layout.schema()?;
        let names = || {
            let schema = batch.schema();
            LayoutError::Schema(format!(
                "{:?}",
                schema.fields().iter().map(|f| f.name()).collect::<Vec<_>>()
            ))
        };
        let nulls_fit = || {
            let columns = expected.fields().iter().zip(batch.columns());
            columns
                .into_iter()
                .all(|(field, column)| field.is_nullable() || column.null_count() == 0)
        };
        if batch.schema().fields() != expected.fields() || !nulls_fit() {
            return Err(names());
        }
        let evidence = EvidenceColumns::find(&layout, &batch).ok_or_else(names)?;
        let cells = BaseCells {
            layout,
            batch,
            evidence,
        };
        cells.check_counts()?;
        cells.check_values()?;
        cells.check_sets()?;
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
        self.batch
            .columns()
            .get(..self.layout.keys.len())
            .unwrap_or_default()
    }

    /// An aggregate's values.
    pub fn value(&self, index: usize) -> Option<&ArrayRef> {
        if index >= self.layout.values.len() {
            return None;
        }
        self.batch.columns().get(self.layout.keys.len() + index)
    }

    /// Rows of a group; 0 for a row that does not exist, as for every other accessor.
    pub fn rows(&self, row: usize) -> u64 {
        count_at(&self.evidence.rows, row)
    }

    /// Units with a row in the group.
    pub fn units(&self, row: usize) -> u64 {
        count_at(&self.evidence.units, row)
    }

    /// Units with a row where the value's argument is not NULL; for the row itself, units with a row.
    pub fn present(&self, argument: Option<usize>, row: usize) -> u64 {
        match argument {
            None => self.units(row),
            Some(i) => self
                .argument(i)
                .map_or(0, |columns| count_at(&columns.present, row)),
        }
    }

    /// Rows where the argument is not NULL.
    pub fn argument_rows(&self, argument: usize, row: usize) -> u64 {
        self.argument(argument)
            .map_or(0, |columns| count_at(&columns.rows, row))
    }

    /// Units whose rows are not all zero or NULL.
    pub fn nonzero(&self, argument: usize, row: usize) -> u64 {
        self.argument(argument)
            .map_or(0, |columns| count_at(&columns.nonzero, row))
    }

    /// Units with a row that `a` counts and `b` does not; `None` stands for the row itself.
    pub fn counted_without(&self, a: Option<usize>, b: Option<usize>, row: usize) -> u64 {
        match (a, b) {
            (_, None) => 0,
            (None, Some(j)) => self
                .argument(j)
                .map_or(0, |columns| count_at(&columns.null_of, row)),
            (Some(i), Some(j)) => {
                let pair = self.evidence.pairs.get(i * self.layout.arguments.len() + j);
                pair.and_then(Option::as_ref)
                    .map_or(0, |column| count_at(column, row))
            }
        }
    }

    /// The two largest absolute net contributions of one unit, unscaled; `None` for arguments that are not numeric.
    pub fn top_two(&self, argument: usize, row: usize) -> Option<(i128, i128)> {
        let extremes = self.argument(argument)?.extremes.as_ref()?;
        Some((decimal_at(&extremes.top1, row)?, decimal_at(&extremes.top2, row)?))
    }

    /// Smallest and largest row value, unscaled; `None` where there is no value or the argument is not numeric.
    pub fn min_max(&self, argument: usize, row: usize) -> Option<(i128, i128)> {
        let extremes = self.argument(argument)?.extremes.as_ref()?;
        Some((decimal_at(&extremes.min, row)?, decimal_at(&extremes.max, row)?))
    }

    fn argument(&self, index: usize) -> Option<&ArgumentColumns> {
        self.evidence.arguments.get(index)
    }

    fn check_counts(&self) -> Result<(), LayoutError> {
        let wrong = |row, what| Err(LayoutError::Contradiction { row, what });
        let arguments = self.layout.arguments.len();
        for row in 0..self.len() {
            let (rows, units) = (self.rows(row), self.units(row));
            if units > rows || (rows > 0 && units == 0) {
                return wrong(row, "units and rows");
            }
            for (a, argument_type) in self.layout.arguments.iter().enumerate() {
                let (present, with, nulls) = (
                    self.present(Some(a), row),
                    self.argument_rows(a, row),
                    self.counted_without(None, Some(a), row),
                );
                if present > units || with > rows || present > with || (with > 0 && present == 0) {
                    return wrong(row, "units present in an argument");
                }
                if nulls > units || present.saturating_add(nulls) < units || (with == rows) != (nulls == 0) {
                    return wrong(row, "units with a NULL argument");
                }
                if self.nonzero(a, row) > present {
                    return wrong(row, "units with a value that is not zero");
                }
                let extremes = self.min_max(a, row);
                if extremes.is_some() != (present > 0 && argument_type.is_numeric())
                    || extremes.is_some_and(|(min, max)| min > max)
                    || self
                        .top_two(a, row)
                        .is_some_and(|(first, second)| second > first || second < 0)
                {
                    return wrong(row, "extremes");
                }
                for b in (0..arguments).filter(|b| *b != a) {
                    let only_a = self.counted_without(Some(a), Some(b), row);
                    let (other, other_nulls) = (
                        self.present(Some(b), row),
                        self.counted_without(None, Some(b), row),
                    );
                    if only_a > present || only_a > other_nulls || other.saturating_add(only_a) < present {
                        return wrong(row, "units with one argument and without another");
                    }
                }
            }
        }
        Ok(())
    }

    fn check_values(&self) -> Result<(), LayoutError> {
        let columns = self.batch.columns().iter().skip(self.layout.keys.len());
        for (kind, column) in self.layout.values.iter().zip(columns) {
            let counts = column.as_any().downcast_ref::<Int64Array>();
            let sums = column.as_any().downcast_ref::<Decimal128Array>();
            for row in 0..self.len() {
                let fits = match *kind {
                    ValueKind::CountRows => is_count(counts, row, self.rows(row)),
                    ValueKind::CountUnits => is_count(counts, row, self.units(row)),
                    ValueKind::Count { argument } => is_count(counts, row, self.argument_rows(argument, row)),
                    ValueKind::Sum { argument } => {
                        let sum = sums.and_then(|sums| decimal_at(sums, row));
                        sum.is_some() == (self.present(Some(argument), row) > 0)
                            && sum.is_none_or(|sum| sum.unsigned_abs() <= LARGEST_DECIMAL)
                    }
                };
                if !fits {
                    return Err(LayoutError::Contradiction {
                        row,
                        what: "a value and its evidence",
                    });
                }
            }
        }
        Ok(())
    }
}

/// Largest absolute value of [`DECIMAL_PRECISION`] digits.
const LARGEST_DECIMAL: u128 = 10_u128.pow(DECIMAL_PRECISION as u32) - 1;

fn is_count(column: Option<&Int64Array>, row: usize, expected: u64) -> bool {
    let value = column
        .filter(|counts| row < counts.len())
        .map(|counts| counts.value(row));
    value.is_some() && value == i64::try_from(expected).ok()
}
