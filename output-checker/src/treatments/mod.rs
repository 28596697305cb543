//! The treatments of one value, in their fixed order: significant digits, then suppression, then rounding to a base.
//!
//! Each is a function of one value, its verdict and the policy. A suppressed value becomes NULL and nothing else; its
//! status keeps the rule. All arithmetic is exact, on 128-bit integers.

mod base;
mod digits;
mod multiple;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, Decimal128Array, Int32Array, Int64Array, PrimitiveArray};
use arrow_schema::DataType;

use tre_core::policy::{MagnitudesRule, Rounding};
use tre_core::status::{Rule, Status, StatusCode};

pub(crate) use base::BaseRounding;

/// A treated column and the status of each of its values.
pub(crate) struct Treated {
    /// Values; NULL where suppressed, and where nobody has a value to sum.
    pub values: ArrayRef,
    /// [`StatusCode`]s.
    pub statuses: ArrayRef,
}

/// What becomes of a value that may be shown, and what it is called.
fn status(verdict: Option<Rule>, rounded: bool) -> StatusCode {
    match verdict {
        Some(rule) => StatusCode::new(Status::Suppressed, rule),
        None if rounded => StatusCode::new(Status::Rounded, Rule::Base),
        None => StatusCode::SHOWN,
    }
}

/// Treats a column of counts. `groups` yields, in the order of the answer, the row among the base cells (`None`: a
/// group of nobody, count 0) and the verdict. `None` when the column is not one of counts.
pub(crate) fn counts(
    column: &ArrayRef,
    groups: impl Iterator<Item = (Option<usize>, Option<Rule>)>,
    rounding: Rounding,
) -> Option<Treated> {
    let raw = column.as_primitive_opt::<Int64Type>()?;
    let base = BaseRounding::of_counts(rounding);
    let mut values = Vec::with_capacity(raw.len());
    let mut statuses = Vec::with_capacity(raw.len());
    for (row, verdict) in groups {
        let count = row.filter(|row| *row < raw.len()).map_or(0, |row| raw.value(row));
        values.push(match (verdict, &base) {
            (Some(_), _) => None,
            (None, None) => Some(count),
            (None, Some(base)) => i64::try_from(base.round(i128::from(count))).ok(),
        });
        statuses.push(status(verdict, base.is_some()).as_i32());
    }
    Some(Treated {
        values: Arc::new(Int64Array::from(values)),
        statuses: Arc::new(Int32Array::from(statuses)),
    })
}

/// Treats a column of smallest or largest values: they are shown as they are, or not at all.
pub(crate) fn extremes(
    column: &ArrayRef,
    groups: impl Iterator<Item = (Option<usize>, Option<Rule>)>,
) -> Option<Treated> {
    let (mut rows, mut statuses) = (Vec::new(), Vec::new());
    for (row, verdict) in groups {
        rows.push(row.filter(|row| verdict.is_none() && *row < column.len()));
        statuses.push(status(verdict, false).as_i32());
    }
    let values = picked::<Int64Type>(column, &rows)
        .or_else(|| picked::<Decimal128Type>(column, &rows))
        .or_else(|| picked::<Date32Type>(column, &rows))
        .or_else(|| picked::<TimestampMicrosecondType>(column, &rows));
    Some(Treated {
        values: values?,
        statuses: Arc::new(Int32Array::from(statuses)),
    })
}

/// The values of some rows, NULL where there is none. Built anew: under a NULL lies a zero, never a value that was.
fn picked<T: ArrowPrimitiveType>(column: &ArrayRef, rows: &[Option<usize>]) -> Option<ArrayRef> {
    let raw = column.as_primitive_opt::<T>()?;
    let values = rows
        .iter()
        .map(|row| row.filter(|row| raw.is_valid(*row)).map(|row| raw.value(row)));
    let values: PrimitiveArray<T> = values.collect();
    Some(Arc::new(values.with_data_type(column.data_type().clone())))
}

/// Treats a column of sums; as [`counts`], with the sum of nobody NULL. The first thing that happens to a sum is that
/// it loses its digits.
pub(crate) fn sums(
    column: &ArrayRef,
    groups: impl Iterator<Item = (Option<usize>, Option<Rule>)>,
    magnitudes: &MagnitudesRule,
    rounding: Rounding,
) -> Option<Treated> {
    let raw = column.as_primitive_opt::<Decimal128Type>()?;
    let DataType::Decimal128(_, scale) = *raw.data_type() else {
        return None;
    };
    let base = match rounding.covers_sums() {
        true => Some(BaseRounding::of_sums(rounding, scale)?),
        false => None,
    };
    let mut values = Vec::with_capacity(raw.len());
    let mut statuses = Vec::with_capacity(raw.len());
    for (row, verdict) in groups {
        let sum = row
            .filter(|row| *row < raw.len() && raw.is_valid(*row))
            .map(|row| raw.value(row));
        let sum = sum.map(|sum| digits::keep(sum, magnitudes.significant_digits));
        values.push(match (verdict, &base) {
            (Some(_), _) => None,
            (None, None) => sum,
            (None, Some(base)) => sum.map(|sum| base.round(sum)),
        });
        statuses.push(status(verdict, base.is_some()).as_i32());
    }
    let values = Decimal128Array::from(values).with_data_type(raw.data_type().clone());
    Some(Treated {
        values: Arc::new(values),
        statuses: Arc::new(Int32Array::from(statuses)),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    /// A client gets buffers, not rows: what lies under a NULL leaves too.
    #[test]
    fn under_a_suppressed_extreme_lies_nothing() {
        let columns: [ArrayRef; 2] = [
            Arc::new(Int64Array::from(vec![77, 5])),
            Arc::new(Decimal128Array::from(vec![77, 5])),
        ];
        for column in columns {
            let groups = [(Some(1), None), (Some(0), Some(Rule::Extreme)), (None, None)];
            let treated = extremes(&column, groups.into_iter()).unwrap();
            assert_eq!(treated.values.null_count(), 2);
            let data = treated.values.to_data();
            let bytes = data.buffers().first().unwrap().as_slice();
            assert!(bytes.contains(&5) && !bytes.contains(&77), "{bytes:?}");
        }
    }
}
