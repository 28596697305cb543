//! The treatments of one value, in their fixed order: significant digits, then suppression, then rounding to a base.
//!
//! Each is a function of one value, its verdict and the policy. A suppressed value becomes NULL and nothing else; its
//! status keeps the rule. All arithmetic is exact, on 128-bit integers.

mod base;
mod digits;
mod multiple;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Int32Array, Int64Array};
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
