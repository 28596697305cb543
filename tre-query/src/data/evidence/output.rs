//! Closed groups as the batch that the checker reads.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use tre_core::evidence::ValueKind;

use super::number::{Extreme, decimal, signed_decimal};
use super::{Cells, EvidenceError, Shape};

impl Cells {
    /// The batch of the layout's schema.
    ///
    /// # Errors
    /// [`EvidenceError::Overflow`] when a sum has more than 38 digits.
    pub(in crate::data) fn finish(mut self) -> Result<RecordBatch, EvidenceError> {
        self.close()?;
        let (keys, groups) = (self.keys.take()?, self.blocks.len());
        let shape = Arc::clone(&self.shape);
        let mut columns = Vec::with_capacity(shape.schema.fields().len());
        for (key, field) in keys.iter().zip(shape.keys.fields()) {
            columns.push(cast(key, field.data_type()).map_err(crate::data::files::arrow_error)?);
        }
        for kind in &shape.layout.values {
            columns.push(self.value(&shape, *kind)?);
        }
        columns.push(counts(self.blocks.iter().map(|block| block.rows)));
        columns.push(counts(self.blocks.iter().map(|block| block.units)));
        for argument in 0..shape.arguments() {
            columns.push(counts(self.present_rows(&shape, argument)));
            columns.push(counts(self.units_with(&shape, shape.present(argument))));
            columns.push(counts(self.units_with(&shape, shape.nonzero(argument))));
            if let Some(Some(numeric)) = shape.numeric.get(argument) {
                self.numeric(&shape, argument, *numeric, &mut columns)?;
            }
            if let (true, Some(Some(numeric))) =
                (shape.layout.has_extreme(argument), shape.numeric.get(argument))
            {
                let ranges = || self.ranges(&shape, *numeric);
                columns.push(counts(
                    ranges().map(|range| range.map_or(0, |(min, _)| min.units)),
                ));
                columns.push(counts(
                    ranges().map(|range| range.map_or(0, |(_, max)| max.units)),
                ));
            }
        }
        for argument in 0..shape.arguments() {
            columns.push(self.flag(&shape, shape.null(argument)));
        }
        for a in 0..shape.arguments() {
            for b in (0..shape.arguments()).filter(|b| *b != a) {
                columns.push(self.flag(&shape, shape.pair(a, b)));
            }
        }
        let pairs = shape.comparable.len();
        for pair in 0..pairs {
            let same = self.same.iter().skip(pair).step_by(pairs);
            columns.push(counts(
                self.blocks
                    .iter()
                    .zip(same)
                    .map(|(block, same)| block.units.saturating_sub(*same)),
            ));
        }
        if let Some(sets) = &self.sets {
            columns.extend(sets.columns(None, groups)?);
            for argument in 0..shape.arguments() {
                columns.extend(sets.columns(Some(argument), groups)?);
            }
        }
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(groups));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&shape.schema), columns, &options);
        Ok(batch.map_err(crate::data::files::arrow_error)?)
    }

    fn value(&self, shape: &Shape, kind: ValueKind) -> Result<ArrayRef, EvidenceError> {
        let integers = |values: &mut dyn Iterator<Item = u64>| -> ArrayRef {
            Arc::new(
                values
                    .map(|v| i64::try_from(v).unwrap_or(i64::MAX))
                    .collect::<Int64Array>(),
            )
        };
        match kind {
            ValueKind::CountRows => Ok(integers(&mut self.blocks.iter().map(|block| block.rows))),
            ValueKind::CountUnits => Ok(integers(&mut self.blocks.iter().map(|block| block.units))),
            ValueKind::Count { argument } => Ok(integers(&mut self.present_rows(shape, argument))),
            ValueKind::CountUnitsOf { argument } => {
                Ok(integers(&mut self.units_with(shape, shape.present(argument))))
            }
            ValueKind::Min { argument } | ValueKind::Max { argument } => {
                let numeric = shape
                    .numeric
                    .get(argument)
                    .copied()
                    .flatten()
                    .ok_or(EvidenceError::Columns)?;
                let smallest = matches!(kind, ValueKind::Min { .. });
                let values = self
                    .ranges(shape, numeric)
                    .map(|range| range.map(|(min, max)| if smallest { min.value } else { max.value }));
                extremes(values, &shape.layout.value_type(kind)?)
            }
            ValueKind::Comoment { x, y, products } => {
                let number = |argument: usize| {
                    let numeric = shape
                        .numeric
                        .get(argument)
                        .copied()
                        .flatten()
                        .ok_or(EvidenceError::Columns)?;
                    Ok::<_, EvidenceError>(
                        self.numbers
                            .iter()
                            .skip(numeric)
                            .step_by(shape.numerics)
                            .map(|number| number.sum),
                    )
                };
                let rows = |argument: usize| self.present_rows(shape, argument);
                let sums = number(x)?.zip(number(y)?).zip(number(products)?);
                let rows = rows(x).zip(rows(y)).zip(rows(products));
                let values = sums
                    .zip(rows)
                    .map(|(((x, y), products), ((of_x, of_y), of_products))| {
                        // A product that does not fit has no value: then these are not sums over the same rows.
                        let same = of_x == of_products && of_y == of_products && of_products > 0;
                        let value = || {
                            i128::from(of_products)
                                .checked_mul(products)?
                                .checked_sub(x.checked_mul(y)?)
                        };
                        let value = value().filter(|_| same);
                        value.and_then(|value| signed_decimal(value).ok())
                    });
                decimals(values.collect(), &shape.layout.value_type(kind)?)
            }
            ValueKind::Sum { argument } => {
                let numeric = shape
                    .numeric
                    .get(argument)
                    .copied()
                    .flatten()
                    .ok_or(EvidenceError::Columns)?;
                let sums = self.numbers.iter().skip(numeric).step_by(shape.numerics);
                // SQL: the sum of no value is NULL.
                let sums = sums.map(|number| number.range.map(|_| signed_decimal(number.sum)).transpose());
                let sums = sums.collect::<Result<Decimal128Array, _>>()?;
                decimals(sums, &shape.layout.value_type(kind)?)
            }
        }
    }

    /// Rows where an argument is not NULL.
    fn present_rows(&self, shape: &Shape, argument: usize) -> impl Iterator<Item = u64> {
        let absent = self.absent_rows.iter().skip(argument).step_by(shape.arguments());
        let blocks = self.blocks.iter().zip(absent);
        blocks.map(|(block, absent)| block.rows.saturating_sub(*absent))
    }

    /// People with a flag that is counted by those who have it not.
    fn units_with(&self, shape: &Shape, flag: usize) -> impl Iterator<Item = u64> {
        let without = self.counts.iter().skip(flag).step_by(shape.flags());
        let blocks = self.blocks.iter().zip(without);
        blocks.map(|(block, without)| block.units.saturating_sub(*without))
    }

    fn flag(&self, shape: &Shape, flag: usize) -> ArrayRef {
        counts(self.counts.iter().skip(flag).step_by(shape.flags()).copied())
    }

    fn numeric(
        &self,
        shape: &Shape,
        argument: usize,
        numeric: usize,
        columns: &mut Vec<ArrayRef>,
    ) -> Result<(), EvidenceError> {
        let numbers = || self.numbers.iter().skip(numeric).step_by(shape.numerics);
        if shape
            .layout
            .arguments
            .get(argument)
            .is_some_and(|ty| ty.is_numeric())
        {
            let ty = shape.layout.value_type(ValueKind::Sum { argument })?;
            let first = numbers().map(|n| decimal(n.top.0));
            let second = numbers().map(|n| decimal(n.top.1));
            columns.push(decimals(first.collect::<Result<_, _>>()?, &ty)?);
            columns.push(decimals(second.collect::<Result<_, _>>()?, &ty)?);
            if let Some(values) = &self.values {
                columns.push(counts(values.unlike(argument)));
            }
        }
        let ty = shape.layout.range_type(argument).ok_or(EvidenceError::Columns)?;
        let ranges = || self.ranges(shape, numeric);
        columns.push(decimals(
            ranges().map(|range| range.map(|(min, _)| min.value)).collect(),
            &ty,
        )?);
        columns.push(decimals(
            ranges().map(|range| range.map(|(_, max)| max.value)).collect(),
            &ty,
        )?);
        Ok(())
    }

    /// The smallest and largest value of each group.
    fn ranges(&self, shape: &Shape, numeric: usize) -> impl Iterator<Item = Option<(Extreme, Extreme)>> {
        let numbers = self.numbers.iter().skip(numeric).step_by(shape.numerics.max(1));
        numbers.map(|number| number.range)
    }
}

/// Values in the type of their argument.
fn extremes(values: impl Iterator<Item = Option<i128>>, ty: &DataType) -> Result<ArrayRef, EvidenceError> {
    fn narrow<T: TryFrom<i128>>(value: Option<i128>) -> Result<Option<T>, EvidenceError> {
        value
            .map(T::try_from)
            .transpose()
            .map_err(|_| EvidenceError::Overflow)
    }
    Ok(match ty {
        DataType::Int64 => Arc::new(values.map(narrow).collect::<Result<Int64Array, _>>()?),
        DataType::Date32 => Arc::new(values.map(narrow).collect::<Result<Date32Array, _>>()?),
        DataType::Timestamp(TimeUnit::Microsecond, None) => Arc::new(
            values
                .map(narrow)
                .collect::<Result<TimestampMicrosecondArray, _>>()?,
        ),
        _ => decimals(values.collect(), ty)?,
    })
}

fn counts(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(values.collect::<UInt64Array>())
}

fn decimals(values: Decimal128Array, ty: &DataType) -> Result<ArrayRef, EvidenceError> {
    let DataType::Decimal128(precision, scale) = ty else {
        return Err(EvidenceError::Columns);
    };
    let values = values
        .with_precision_and_scale(*precision, *scale)
        .map_err(crate::data::files::arrow_error)?;
    Ok(Arc::new(values))
}
