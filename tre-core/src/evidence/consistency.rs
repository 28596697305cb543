//! What base cells must satisfy to be possible: a worker that contradicts itself is not to be believed in anything.

use arrow_array::{Array, ArrayRef, Date32Array, Decimal128Array, Int64Array, TimestampMicrosecondArray};

use crate::types::DECIMAL_PRECISION;

use super::cells::decimal_at;
use super::{BaseCells, LayoutError, ValueKind};

/// Counts of one row do not exceed one another.
pub(super) fn check_counts(cells: &BaseCells) -> Result<(), LayoutError> {
    let wrong = |row, what| Err(LayoutError::Contradiction { row, what });
    let arguments = cells.layout().arguments.len();
    for row in 0..cells.len() {
        let (rows, units) = (cells.rows(row), cells.units(row));
        if units > rows || (rows > 0 && units == 0) {
            return wrong(row, "units and rows");
        }
        for a in 0..arguments {
            let (present, with, nulls) = (
                cells.present(Some(a), row),
                cells.argument_rows(a, row),
                cells.counted_without(None, Some(a), row),
            );
            if present > units || with > rows || present > with || (with > 0 && present == 0) {
                return wrong(row, "units present in an argument");
            }
            if nulls > units || present.saturating_add(nulls) < units || (with == rows) != (nulls == 0) {
                return wrong(row, "units with a NULL argument");
            }
            if cells.nonzero(a, row) > present {
                return wrong(row, "units with a value that is not zero");
            }
            // Of zero and all else one is at least as frequent as the other, and somebody has the most frequent one.
            let nonzero = cells.nonzero(a, row);
            let told_apart = u64::from(cells.layout().unlike.unwrap_or(0));
            let least = nonzero.min(present - nonzero).min(told_apart);
            if cells
                .unlike(a, row)
                .is_some_and(|unlike| unlike > told_apart || unlike < least || unlike >= present.max(1))
            {
                return wrong(row, "units with another value than most");
            }
            let extremes = cells.min_max(a, row);
            if extremes.is_some() != (present > 0 && cells.layout().range_type(a).is_some())
                || extremes.is_some_and(|(min, max)| min > max)
                || cells
                    .top_two(a, row)
                    .is_some_and(|(first, second)| second > first || second < 0)
            {
                return wrong(row, "extremes");
            }
            let shared = |units: u64| units <= present && (units == 0) == (present == 0);
            if cells
                .sharing(a, row)
                .is_some_and(|(min, max)| !shared(min) || !shared(max))
            {
                return wrong(row, "units that share an extreme");
            }
            for b in (0..arguments).filter(|b| *b != a) {
                let only_a = cells.counted_without(Some(a), Some(b), row);
                let (other, other_nulls) = (
                    cells.present(Some(b), row),
                    cells.counted_without(None, Some(b), row),
                );
                if only_a > present || only_a > other_nulls || other.saturating_add(only_a) < present {
                    return wrong(row, "units with one argument and without another");
                }
                if cells.differing(a, b, row) > present.saturating_add(other) {
                    return wrong(row, "units whose contributions differ");
                }
            }
        }
    }
    Ok(())
}

pub(super) fn check_values(cells: &BaseCells) -> Result<(), LayoutError> {
    let columns = cells.batch().columns().iter().skip(cells.layout().keys.len());
    for (kind, column) in cells.layout().values.iter().zip(columns) {
        let counts = column.as_any().downcast_ref::<Int64Array>();
        let sums = column.as_any().downcast_ref::<Decimal128Array>();
        for row in 0..cells.len() {
            let fits = match *kind {
                ValueKind::CountRows => is_count(counts, row, cells.rows(row)),
                ValueKind::CountUnits => is_count(counts, row, cells.units(row)),
                ValueKind::CountUnitsOf { argument } => {
                    is_count(counts, row, cells.present(Some(argument), row))
                }
                ValueKind::Min { argument } => {
                    extreme_at(column, row) == cells.min_max(argument, row).map(|(min, _)| min)
                }
                ValueKind::Max { argument } => {
                    extreme_at(column, row) == cells.min_max(argument, row).map(|(_, max)| max)
                }
                ValueKind::Count { argument } => is_count(counts, row, cells.argument_rows(argument, row)),
                ValueKind::Comoment { products, .. } => {
                    let value = sums.and_then(|sums| decimal_at(sums, row));
                    value.is_none() || cells.present(Some(products), row) > 0
                }
                ValueKind::Sum { argument } => {
                    let sum = sums.and_then(|sums| decimal_at(sums, row));
                    sum.is_some() == (cells.present(Some(argument), row) > 0)
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

/// A value of any type that min and max have, as a number; `None` for NULL.
fn extreme_at(column: &ArrayRef, row: usize) -> Option<i128> {
    if row >= column.len() || column.is_null(row) {
        return None;
    }
    let any = column.as_any();
    if let Some(column) = any.downcast_ref::<Int64Array>() {
        Some(i128::from(column.value(row)))
    } else if let Some(column) = any.downcast_ref::<Date32Array>() {
        Some(i128::from(column.value(row)))
    } else if let Some(column) = any.downcast_ref::<TimestampMicrosecondArray>() {
        Some(i128::from(column.value(row)))
    } else {
        any.downcast_ref::<Decimal128Array>()
            .map(|column| column.value(row))
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
