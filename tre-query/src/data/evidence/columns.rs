//! The argument columns of a batch, as the evidence loop reads them.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type, TimeUnit, TimestampMicrosecondType};

use super::{EvidenceError, Shape};

/// An argument's values: numbers, or of a type of which only NULL is looked at.
pub(super) struct Column<'a> {
    values: Values<'a>,
    nulls: Option<&'a NullBuffer>,
}

enum Values<'a> {
    Narrow(&'a [i64]),
    Days(&'a [i32]),
    Wide(&'a [i128]),
    Other,
}

impl<'a> Column<'a> {
    /// One column per argument of a shape.
    ///
    /// # Errors
    /// [`EvidenceError::Columns`] when a number is of a type that was not planned.
    pub(super) fn all(arguments: &'a [ArrayRef], shape: &Shape) -> Result<Vec<Column<'a>>, EvidenceError> {
        let columns = arguments.iter().zip(&shape.numeric);
        columns
            .map(|(array, numeric)| {
                let values = match (numeric, array.data_type()) {
                    (None, _) => Values::Other,
                    (Some(_), DataType::Int64) => Values::Narrow(array.as_primitive::<Int64Type>().values()),
                    (Some(_), DataType::Decimal128(..)) => {
                        Values::Wide(array.as_primitive::<Decimal128Type>().values())
                    }
                    (Some(_), DataType::Date32) => Values::Days(array.as_primitive::<Date32Type>().values()),
                    (Some(_), DataType::Timestamp(TimeUnit::Microsecond, None)) => {
                        Values::Narrow(array.as_primitive::<TimestampMicrosecondType>().values())
                    }
                    (Some(_), _) => return Err(EvidenceError::Columns),
                };
                let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
                Ok(Column { values, nulls })
            })
            .collect()
    }

    /// The rows that are NULL; `None` for none.
    pub(super) fn nulls(&self) -> Option<&'a NullBuffer> {
        self.nulls
    }

    /// Calls `take` with every value that is not NULL of `length` rows from `start` on, and its place among them.
    ///
    /// # Errors
    /// What `take` answers, and [`EvidenceError::Columns`] when there are fewer rows.
    pub(super) fn each(
        &self,
        start: usize,
        length: usize,
        take: impl FnMut(usize, i128) -> Result<(), EvidenceError>,
    ) -> Result<(), EvidenceError> {
        match self.values {
            Values::Narrow(values) => each(values, self.nulls, start, length, take),
            Values::Days(values) => each(values, self.nulls, start, length, take),
            Values::Wide(values) => each(values, self.nulls, start, length, take),
            Values::Other => Ok(()),
        }
    }
}

fn each<T: Copy + Into<i128>>(
    values: &[T],
    nulls: Option<&NullBuffer>,
    start: usize,
    length: usize,
    mut take: impl FnMut(usize, i128) -> Result<(), EvidenceError>,
) -> Result<(), EvidenceError> {
    let values = values.get(start..start + length).ok_or(EvidenceError::Columns)?;
    match nulls {
        None => values
            .iter()
            .enumerate()
            .try_for_each(|(row, value)| take(row, (*value).into())),
        Some(nulls) => {
            let valid = nulls.inner().slice(start, length);
            let mut rows = values.iter().enumerate().zip(valid.iter());
            rows.try_for_each(|((row, value), valid)| match valid {
                true => take(row, (*value).into()),
                false => Ok(()),
            })
        }
    }
}
