//! Encoded rows to Arrow arrays.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder, UInt32Builder,
};
use arrow::datatypes::SchemaRef;
use tre_core::codes::{self, Problem};
use tre_core::manifest::{ColumnMeta, TableManifest};
use tre_core::types::{ColumnType, DECIMAL_PRECISION};
use tre_home::vault::Link;

use super::no_row;
use crate::number::Entities;
use crate::row::Cells;

/// Collects rows of one table.
pub(super) struct BatchBuilder<'a> {
    schema: SchemaRef,
    unit: Option<UInt32Builder>,
    columns: Vec<Builder<'a>>,
    rows: usize,
}

enum Builder<'a> {
    Int(Int64Builder),
    Decimal(Decimal128Builder, u8),
    Bool(BooleanBuilder),
    Text(StringBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Entity(UInt32Builder, Option<&'a HashMap<Link, u32>>),
}

impl<'a> BatchBuilder<'a> {
    pub(super) fn new(table: &TableManifest, entities: &'a [Entities<'_>], capacity: usize) -> Self {
        let builder = |column: &ColumnMeta| Builder::new(column, entities, capacity);
        BatchBuilder {
            schema: Arc::new(table.file_schema()),
            unit: (!table.public).then(|| UInt32Builder::with_capacity(capacity)),
            columns: table.columns.iter().map(builder).collect(),
            rows: 0,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row; `unit` does not count for public tables.
    pub(super) fn push(&mut self, unit: u32, cells: &[u8]) -> Result<(), Problem> {
        if let Some(builder) = &mut self.unit {
            builder.append_value(unit);
        }
        let mut cells = Cells(cells);
        for column in &mut self.columns {
            column.push(&mut cells).ok_or_else(no_row)?;
        }
        if !cells.0.is_empty() {
            return Err(no_row());
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows so far; the builder is empty again.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, Problem> {
        let unit = self
            .unit
            .as_mut()
            .map(|builder| Arc::new(builder.finish()) as ArrayRef);
        let columns = unit
            .into_iter()
            .chain(self.columns.iter_mut().map(Builder::finish))
            .collect();
        self.rows = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|error| {
            Problem::of(
                &codes::ING_INTERNAL,
                format!("rows do not fit their schema: {error}"),
            )
        })
    }
}

impl<'a> Builder<'a> {
    fn new(column: &ColumnMeta, entities: &'a [Entities<'_>], capacity: usize) -> Self {
        if let Some(kind) = &column.entity {
            let numbers = entities
                .iter()
                .find(|entities| &entities.kind == kind)
                .map(|entities| &entities.numbers);
            return Builder::Entity(UInt32Builder::with_capacity(capacity), numbers);
        }
        match column.column_type {
            ColumnType::Int => Builder::Int(Int64Builder::with_capacity(capacity)),
            ColumnType::Decimal { scale } => {
                Builder::Decimal(Decimal128Builder::with_capacity(capacity), scale)
            }
            ColumnType::Bool => Builder::Bool(BooleanBuilder::with_capacity(capacity)),
            ColumnType::Text => Builder::Text(StringBuilder::with_capacity(capacity, capacity * 8)),
            ColumnType::Date => Builder::Date(Date32Builder::with_capacity(capacity)),
            ColumnType::Timestamp => Builder::Timestamp(TimestampMicrosecondBuilder::with_capacity(capacity)),
        }
    }

    fn push(&mut self, cells: &mut Cells<'_>) -> Option<()> {
        match self {
            Builder::Int(builder) => builder.append_option(narrow::<i64>(cells.number()?)?),
            Builder::Decimal(builder, _) => builder.append_option(cells.number()?),
            Builder::Bool(builder) => builder.append_option(cells.bool()?),
            Builder::Text(builder) => builder.append_option(cells.text()?),
            Builder::Date(builder) => builder.append_option(narrow::<i32>(cells.number()?)?),
            Builder::Timestamp(builder) => builder.append_option(narrow::<i64>(cells.number()?)?),
            Builder::Entity(builder, numbers) => match cells.link()? {
                None => builder.append_null(),
                Some(link) => builder.append_value(*(*numbers)?.get(&link)?),
            },
        }
        Some(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Int(builder) => Arc::new(builder.finish()),
            // Precision 38 and a scale of at most 18 are always valid.
            Builder::Decimal(builder, scale) => {
                let array = builder.finish();
                Arc::new(
                    array
                        .clone()
                        .with_precision_and_scale(DECIMAL_PRECISION, *scale as i8)
                        .unwrap_or(array),
                )
            }
            Builder::Bool(builder) => Arc::new(builder.finish()),
            Builder::Text(builder) => Arc::new(builder.finish()),
            Builder::Date(builder) => Arc::new(builder.finish()),
            Builder::Timestamp(builder) => Arc::new(builder.finish()),
            Builder::Entity(builder, _) => Arc::new(builder.finish()),
        }
    }
}

/// Stored numbers fit the type that they were read as.
fn narrow<T: TryFrom<i128>>(value: Option<i128>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(value) => T::try_from(value).ok().map(Some),
    }
}
