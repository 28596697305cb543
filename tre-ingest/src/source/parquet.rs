//! Parquet files as rows of cells.
//!
//! Columns are brought to a few Arrow types by casts that keep every value; a cell is then looked up by row. Types
//! that hold no single value (lists, structs, binary) are refused.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::{Cell, SourceError};

const BATCH_ROWS: usize = 8192;

/// Reads the selected columns of one file.
pub(super) struct ParquetReader {
    header: Vec<String>,
    builder: Option<ParquetRecordBatchReaderBuilder<File>>,
    batches: Option<ParquetRecordBatchReader>,
    /// For every wanted column its place in the batches, which are in file order.
    order: Vec<usize>,
    columns: Vec<Column>,
    batch_rows: usize,
    /// Row within the batch; the first call of `next` moves it to 0.
    at: usize,
    /// Rows before and including the current one.
    row: u64,
    rows_in_file: u64,
    bytes_in_file: u64,
    bytes: Arc<AtomicU64>,
}

enum Column {
    Int(Int64Array),
    Float(Float64Array),
    Decimal(Decimal128Array, i8),
    Bool(BooleanArray),
    Text(StringArray),
    Date(Date32Array),
    Timestamp(TimestampMicrosecondArray),
}

impl ParquetReader {
    pub(super) fn open(file: File, bytes: Arc<AtomicU64>) -> Result<Self, SourceError> {
        let bytes_in_file = file.metadata()?.len();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(BATCH_ROWS);
        let header = builder
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let rows_in_file = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
        Ok(ParquetReader {
            header,
            builder: Some(builder),
            batches: None,
            order: Vec::new(),
            columns: Vec::new(),
            batch_rows: 0,
            at: 0,
            row: 0,
            rows_in_file,
            bytes_in_file,
            bytes,
        })
    }

    pub(super) fn header(&self) -> Vec<String> {
        self.header.clone()
    }

    /// Reads only these columns, given by their position in the header.
    pub(super) fn select(&mut self, positions: &[usize]) -> Result<(), SourceError> {
        let Some(builder) = self.builder.take() else {
            return Ok(());
        };
        let schema = builder.schema().clone();
        for position in positions {
            if let Some(field) = schema.fields().get(*position) {
                target(field.name(), field.data_type())?;
            }
        }
        let mut in_file_order = positions.to_vec();
        in_file_order.sort_unstable();
        self.order = positions
            .iter()
            .map(|at| in_file_order.partition_point(|other| other < at))
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), in_file_order);
        self.batches = Some(builder.with_projection(mask).build()?);
        Ok(())
    }

    pub(super) fn next(&mut self) -> Result<bool, SourceError> {
        self.at += 1;
        while self.at >= self.batch_rows {
            let Some(batch) = self.batches.as_mut().and_then(Iterator::next).transpose()? else {
                return Ok(false);
            };
            self.at = 0;
            self.batch_rows = batch.num_rows();
            let schema = batch.schema();
            let read: Vec<Column> = schema
                .fields()
                .iter()
                .zip(batch.columns())
                .map(|(field, array)| column(field.name(), array))
                .collect::<Result<_, _>>()?;
            let mut read: Vec<Option<Column>> = read.into_iter().map(Some).collect();
            self.columns = self
                .order
                .iter()
                .filter_map(|at| read.get_mut(*at).and_then(Option::take))
                .collect();
            self.report(self.batch_rows as u64);
        }
        self.row += 1;
        Ok(true)
    }

    /// Parquet is not read from front to back; rows stand for bytes.
    fn report(&self, rows: u64) {
        let share = u128::from(self.bytes_in_file) * u128::from(rows) / u128::from(self.rows_in_file.max(1));
        self.bytes.fetch_add(share as u64, Ordering::Relaxed);
    }

    pub(super) fn row(&self) -> u64 {
        self.row
    }

    pub(super) fn cell(&self, index: usize) -> Cell<'_> {
        let at = self.at;
        let Some(column) = self.columns.get(index) else {
            return Cell::Null;
        };
        match column {
            Column::Int(array) if array.is_valid(at) => Cell::Int(array.value(at)),
            Column::Float(array) if array.is_valid(at) => Cell::Float(array.value(at)),
            Column::Decimal(array, scale) if array.is_valid(at) => Cell::Decimal(array.value(at), *scale),
            Column::Bool(array) if array.is_valid(at) => Cell::Bool(array.value(at)),
            Column::Text(array) if array.is_valid(at) => Cell::Text(array.value(at).as_bytes()),
            Column::Date(array) if array.is_valid(at) => Cell::Date(array.value(at)),
            Column::Timestamp(array) if array.is_valid(at) => Cell::Timestamp(array.value(at)),
            Column::Int(_)
            | Column::Float(_)
            | Column::Decimal(..)
            | Column::Bool(_)
            | Column::Text(_)
            | Column::Date(_)
            | Column::Timestamp(_) => Cell::Null,
        }
    }
}

/// The few types that columns are brought to.
#[derive(Clone, Copy)]
enum Target {
    Int,
    Float,
    Decimal(u8, i8),
    Bool,
    Text,
    Date,
    Timestamp,
}

impl Target {
    fn arrow(self) -> DataType {
        match self {
            Target::Int => DataType::Int64,
            Target::Float => DataType::Float64,
            Target::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Target::Bool => DataType::Boolean,
            Target::Text => DataType::Utf8,
            Target::Date => DataType::Date32,
            Target::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }
}

/// The type that a column is brought to.
fn target(name: &str, found: &DataType) -> Result<Target, SourceError> {
    Ok(match found {
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => Target::Int,
        DataType::UInt64 => Target::Decimal(20, 0),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Target::Float,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => Target::Decimal(*precision, *scale),
        DataType::Boolean => Target::Bool,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => Target::Text,
        DataType::Dictionary(_, values) => target(name, values)?,
        DataType::Date32 | DataType::Date64 => Target::Date,
        DataType::Timestamp(..) => Target::Timestamp,
        DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::Binary
        | DataType::FixedSizeBinary(_)
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::List(_)
        | DataType::ListView(_)
        | DataType::FixedSizeList(..)
        | DataType::LargeList(_)
        | DataType::LargeListView(_)
        | DataType::Struct(_)
        | DataType::Union(..)
        | DataType::Decimal256(..)
        | DataType::Map(..)
        | DataType::RunEndEncoded(..) => {
            return Err(SourceError::ColumnType {
                column: name.to_owned(),
                found: found.to_string(),
            });
        }
    })
}

fn column(name: &str, array: &ArrayRef) -> Result<Column, SourceError> {
    let target = target(name, array.data_type())?;
    let wanted = target.arrow();
    let array = if let DataType::Timestamp(unit, Some(_)) = array.data_type() {
        // Instants keep their instant: a zone is only how they are shown.
        let utc = cast_with_options(
            array,
            &DataType::Timestamp(*unit, Some("+00:00".into())),
            &strict(),
        )?;
        let plain = cast_with_options(&utc, &DataType::Timestamp(*unit, None), &strict())?;
        cast_with_options(&plain, &wanted, &strict())?
    } else if let DataType::Float16 | DataType::Float32 = array.data_type() {
        // By way of their shortest digits: 0.1 in fewer bits is 0.1, not 0.10000000149011612.
        let digits = cast_with_options(array, &DataType::Utf8, &strict())?;
        cast_with_options(&digits, &wanted, &strict())?
    } else if *array.data_type() == wanted {
        Arc::clone(array)
    } else {
        cast_with_options(array, &wanted, &strict())?
    };
    Ok(match target {
        Target::Int => Column::Int(array.as_primitive::<Int64Type>().clone()),
        Target::Float => Column::Float(array.as_primitive::<Float64Type>().clone()),
        Target::Decimal(_, scale) => Column::Decimal(array.as_primitive::<Decimal128Type>().clone(), scale),
        Target::Bool => Column::Bool(array.as_boolean().clone()),
        Target::Text => Column::Text(array.as_string::<i32>().clone()),
        Target::Date => Column::Date(array.as_primitive::<Date32Type>().clone()),
        Target::Timestamp => Column::Timestamp(array.as_primitive::<TimestampMicrosecondType>().clone()),
    })
}

/// A value that does not fit is an error, never silently NULL.
fn strict() -> CastOptions<'static> {
    CastOptions {
        safe: false,
        ..CastOptions::default()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
    use arrow::array::{Float32Array, ListArray};

    use super::*;

    #[test]
    fn floats_of_fewer_bits_keep_their_digits() {
        let array: ArrayRef = Arc::new(Float32Array::from(vec![
            Some(0.1),
            Some(3.0),
            Some(f32::NAN),
            None,
        ]));
        let Column::Float(read) = column("x", &array).unwrap() else {
            panic!("not a float")
        };
        assert_eq!((read.value(0), read.value(1)), (0.1, 3.0));
        assert!(read.value(2).is_nan() && read.is_null(3));
    }

    #[test]
    fn lists_are_refused_by_name() {
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1)])]);
        let array: ArrayRef = Arc::new(lists);
        let error = column("x", &array)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.starts_with("column `x` has the type List"), "{error}");
    }
}
