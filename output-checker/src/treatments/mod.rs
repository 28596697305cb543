//! The treatments of one value, in their fixed order: significant digits, then suppression, then noise of
//! counts, then rounding to a base.
//!
//! Each is a function of one value, its verdict and the policy; rounding that keeps sums is one of all shown values of a
//! column. A suppressed value becomes NULL and nothing else; its
//! status keeps the rule. All arithmetic is exact, on 128-bit integers.

mod base;
mod controlled;
mod digits;
mod multiple;
mod noise;
mod perturbation;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, Decimal128Array, Int32Array, Int64Array, PrimitiveArray};
use arrow_schema::DataType;

use tre_core::evidence::ValueKind;
use tre_core::policy::{MagnitudesRule, Rounding};
use tre_core::status::{Rule, Status, StatusCode};

pub(crate) use base::BaseRounding;
pub(crate) use controlled::Place;
pub(crate) use noise::Noise;
pub(crate) use perturbation::Perturbed;

/// A treated column and the status of each of its values.
pub(crate) struct Treated {
    /// Values; NULL where suppressed, and where nobody has a value to sum.
    pub values: ArrayRef,
    /// [`StatusCode`]s.
    pub statuses: ArrayRef,
}

/// What a value is called to which `shown` is done if it may be shown.
fn status(verdict: Option<Rule>, shown: StatusCode) -> StatusCode {
    verdict.map_or(shown, |rule| StatusCode::new(Status::Suppressed, rule))
}

/// What a value is called that may be shown, by what is done to all values of its column: the worst of it.
fn shown(perturbed: bool, rounded: bool) -> StatusCode {
    match (perturbed, rounded) {
        (true, _) => StatusCode::new(Status::Perturbed, Rule::CellKey),
        (false, true) => StatusCode::new(Status::Rounded, Rule::Base),
        (false, false) => StatusCode::SHOWN,
    }
}

/// Treats a column of counts. `groups` yields, in the order of the answer, the row among the base cells (`None`: a
/// group of nobody, count 0) and the verdict; `places` are theirs. `None` when the column is not one of counts.
pub(crate) fn counts(
    column: &ArrayRef,
    kind: ValueKind,
    groups: impl Iterator<Item = (Option<usize>, Option<Rule>)>,
    places: &[Place],
    perturbed: Option<&Perturbed<'_>>,
    rounding: Rounding,
) -> Option<Treated> {
    let raw = column.as_primitive_opt::<Int64Type>()?;
    let base = BaseRounding::of_counts(rounding);
    let code = shown(perturbed.is_some(), base.is_some());
    let mut values = Vec::with_capacity(raw.len());
    let mut statuses = Vec::with_capacity(raw.len());
    for (row, verdict) in groups {
        let count = match (row.filter(|row| *row < raw.len()), perturbed) {
            (None, _) => 0,
            (Some(row), None) => raw.value(row),
            (Some(row), Some(perturbed)) => perturbed.count(kind, row, raw.value(row))?,
        };
        values.push(verdict.is_none().then_some(i128::from(count)));
        statuses.push(status(verdict, code).as_i32());
    }
    if let Some(base) = base {
        base.round(&mut values, places);
    }
    let values = values.into_iter().map(|value| i64::try_from(value?).ok());
    Some(Treated {
        values: Arc::new(values.collect::<Int64Array>()),
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
        statuses.push(status(verdict, StatusCode::SHOWN).as_i32());
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
    places: &[Place],
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
    let code = shown(false, base.is_some());
    let mut values = Vec::with_capacity(raw.len());
    let mut statuses = Vec::with_capacity(raw.len());
    for (row, verdict) in groups {
        let sum = row
            .filter(|row| *row < raw.len() && raw.is_valid(*row))
            .map(|row| raw.value(row));
        let sum = sum.map(|sum| digits::keep(sum, magnitudes.significant_digits));
        values.push(sum.filter(|_| verdict.is_none()));
        statuses.push(status(verdict, code).as_i32());
    }
    if let Some(base) = base {
        base.round(&mut values, places);
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
