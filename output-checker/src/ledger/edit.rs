//! Reading and replacing single values of treated cells.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, Date32Array, Decimal128Array, Int32Array, Int64Array, TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, DataType, TimeUnit};

use tre_core::evidence::CellLayout;
use tre_core::status::StatusCode;

use crate::treated::TreatedCells;

/// A value with its status.
pub(super) type Value = (Option<i128>, StatusCode);

/// Treated cells whose values are read one by one and replaced at the end.
pub(super) struct Edit<'a> {
    treated: &'a TreatedCells,
    keys: usize,
    values: usize,
    changes: BTreeMap<(usize, usize), Value>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(treated: &'a TreatedCells, layout: &CellLayout) -> Self {
        Edit {
            treated,
            keys: layout.keys.len(),
            values: layout.values.len(),
            changes: BTreeMap::new(),
        }
    }

    /// The key columns.
    pub(super) fn keys(&self) -> &'a [ArrayRef] {
        let columns = self.treated.batch().columns();
        columns.get(..self.keys).unwrap_or_default()
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.treated.batch().num_rows()
    }

    /// A value as the treatments have left it; `None` when there is none there.
    pub(super) fn value(&self, index: usize, row: usize) -> Option<Value> {
        let columns = self.treated.batch().columns();
        let values = columns.get(self.keys + index)?;
        let statuses = columns.get(self.keys + self.values + index)?;
        let status = statuses.as_primitive_opt::<Int32Type>()?;
        let code = (row < status.len()).then(|| StatusCode::from_i32(status.value(row)))??;
        if row >= values.len() || values.is_null(row) {
            return Some((None, code));
        }
        let value = number(values, row)?;
        Some((Some(value), code))
    }

    /// Decimal places of a value.
    pub(super) fn scale(&self, index: usize) -> i8 {
        let column = self.treated.batch().columns().get(self.keys + index);
        match column.map(|column| column.data_type()) {
            Some(DataType::Decimal128(_, scale)) => *scale,
            _ => 0,
        }
    }

    /// Replaces a value.
    pub(super) fn replace(&mut self, index: usize, row: usize, value: Value) {
        self.changes.insert((index, row), value);
    }

    /// The cells with all replacements; `None` when nothing was replaced.
    ///
    /// # Errors
    /// When a value does not fit its column.
    pub(super) fn finish(self) -> Result<Option<TreatedCells>, ArrowError> {
        if self.changes.is_empty() {
            return Ok(None);
        }
        let batch = self.treated.batch();
        let mut columns = batch.columns().to_vec();
        for index in 0..self.values {
            let all = (0..self.rows()).map(|row| match self.changes.get(&(index, row)) {
                Some(changed) => Ok(*changed),
                None => self.value(index, row).ok_or_else(misfit),
            });
            let all = all.collect::<Result<Vec<Value>, ArrowError>>()?;
            let statuses = Int32Array::from_iter_values(all.iter().map(|(_, code)| code.as_i32()));
            let values = all.into_iter().map(|(value, _)| value);
            if let Some(column) = columns.get_mut(self.keys + index) {
                *column = typed(column.data_type(), values)?;
            }
            if let Some(column) = columns.get_mut(self.keys + self.values + index) {
                *column = Arc::new(statuses);
            }
        }
        TreatedCells::new(batch.schema(), columns).map(Some)
    }
}

fn misfit() -> ArrowError {
    ArrowError::InvalidArgumentError("a value does not fit its column".to_owned())
}

fn typed(data_type: &DataType, values: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef, ArrowError> {
    fn narrow<T: TryFrom<i128>>(value: Option<i128>) -> Result<Option<T>, ArrowError> {
        value.map(T::try_from).transpose().map_err(|_| misfit())
    }
    if let DataType::Decimal128(..) = data_type {
        let values = values.collect::<Decimal128Array>();
        return Ok(Arc::new(values.with_data_type(data_type.clone())));
    }
    if *data_type == DataType::Date32 {
        return Ok(Arc::new(values.map(narrow).collect::<Result<Date32Array, _>>()?));
    }
    if *data_type == DataType::Timestamp(TimeUnit::Microsecond, None) {
        let values = values
            .map(narrow)
            .collect::<Result<TimestampMicrosecondArray, _>>()?;
        return Ok(Arc::new(values));
    }
    Ok(Arc::new(values.map(narrow).collect::<Result<Int64Array, _>>()?))
}

/// A value of any type that a value can have: counts and whole numbers, decimals (unscaled), days and moments.
fn number(values: &ArrayRef, row: usize) -> Option<i128> {
    let counts = values.as_primitive_opt::<Int64Type>();
    let sums = values.as_primitive_opt::<Decimal128Type>();
    let days = values.as_primitive_opt::<Date32Type>();
    let moments = values.as_primitive_opt::<TimestampMicrosecondType>();
    counts
        .map(|counts| i128::from(counts.value(row)))
        .or(sums.map(|sums| sums.value(row)))
        .or(days.map(|days| i128::from(days.value(row))))
        .or(moments.map(|moments| i128::from(moments.value(row))))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn values_of_every_type_are_read_and_written() {
        let types = [
            DataType::Int64,
            DataType::Decimal128(38, 2),
            DataType::Date32,
            DataType::Timestamp(TimeUnit::Microsecond, None),
        ];
        for data_type in types {
            let column = typed(&data_type, [Some(-7), None].into_iter()).unwrap();
            assert_eq!(column.data_type(), &data_type);
            assert_eq!(number(&column, 0), Some(-7), "{data_type}");
            assert!(column.is_null(1), "{data_type}");
        }
        assert!(typed(&DataType::Date32, std::iter::once(Some(i128::MAX))).is_err());
    }
}
