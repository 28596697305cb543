//! The state of all groups, updated row by row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Int64Array, RecordBatch,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::datatypes::{DataType, TimeUnit, UInt32Type};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::number::Number;
use super::sketch::Sets;
use super::values::Values;
use super::{EvidenceError, Shape};

/// Groups with their values and evidence.
pub(in crate::data) struct Cells {
    pub(super) shape: Arc<Shape>,
    /// Interned keys; `None` for the one group of a query without GROUP BY.
    pub(super) groups: Option<Box<dyn GroupValues>>,
    pub(super) blocks: Vec<Block>,
    /// Per group: units per flag.
    pub(super) counts: Vec<u64>,
    /// Per group: rows per argument.
    pub(super) present_rows: Vec<u64>,
    /// Per group: numeric arguments.
    pub(super) numbers: Vec<Number>,
    /// Per group: units whose net contributions to a pair of arguments differ.
    pub(super) differing: Vec<u64>,
    /// The last unit seen in this stream of ranges, plus one.
    last: u64,
    group_of_row: Vec<usize>,
    /// Who is in each group; `None` where the server keeps no ledger.
    pub(super) sets: Option<Sets>,
    /// What people contribute; `None` where no rule asks.
    pub(super) values: Option<Values>,
}

/// What does not depend on an argument.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Block {
    pub(super) rows: u64,
    pub(super) units: u64,
    /// The open unit plus one, 0 for none.
    open: u64,
    /// Flags of the open unit.
    flags: u128,
}

/// An argument column of a batch.
enum Column<'a> {
    Integers(&'a Int64Array),
    Decimals(&'a Decimal128Array),
    Dates(&'a Date32Array),
    Timestamps(&'a TimestampMicrosecondArray),
    Other(&'a ArrayRef),
}

impl Column<'_> {
    fn is_valid(&self, row: usize) -> bool {
        match self {
            Column::Integers(array) => array.is_valid(row),
            Column::Decimals(array) => array.is_valid(row),
            Column::Dates(array) => array.is_valid(row),
            Column::Timestamps(array) => array.is_valid(row),
            Column::Other(array) => array.is_valid(row),
        }
    }

    fn value(&self, row: usize) -> i128 {
        match self {
            Column::Integers(array) => i128::from(array.value(row)),
            Column::Decimals(array) => array.value(row),
            Column::Dates(array) => i128::from(array.value(row)),
            Column::Timestamps(array) => i128::from(array.value(row)),
            Column::Other(_) => 0,
        }
    }
}

impl Cells {
    /// No rows yet; without GROUP BY there is one group already.
    ///
    /// # Errors
    /// When keys of these types cannot be grouped.
    pub(in crate::data) fn new(shape: Arc<Shape>) -> Result<Self, EvidenceError> {
        let groups = if shape.keys.fields().is_empty() {
            None
        } else {
            Some(new_group_values(Arc::clone(&shape.keys), &GroupOrdering::None)?)
        };
        let sketcher = shape.sketcher.clone();
        let sets = sketcher.map(|sketcher| Sets::new(sketcher, shape.arguments()));
        let values = shape.layout.unlike;
        let values = values.map(|most| Values::new(most, shape.arguments()));
        let mut cells = Cells {
            shape,
            groups,
            blocks: vec![],
            counts: vec![],
            present_rows: vec![],
            numbers: vec![],
            differing: vec![],
            last: 0,
            group_of_row: vec![],
            sets,
            values,
        };
        if cells.groups.is_none() {
            cells.grow(1);
        }
        Ok(cells)
    }

    /// Bytes that the state takes.
    pub(in crate::data) fn memory(&self) -> usize {
        let groups = self.groups.as_ref().map_or(0, |groups| groups.size());
        groups
            + self.blocks.capacity() * size_of::<Block>()
            + (self.counts.capacity() + self.present_rows.capacity() + self.differing.capacity())
                * size_of::<u64>()
            + self.numbers.capacity() * size_of::<Number>()
            + self.group_of_row.capacity() * size_of::<usize>()
            + self.sets.as_ref().map_or(0, Sets::memory)
            + self.values.as_ref().map_or(0, Values::memory)
    }

    fn grow(&mut self, groups: usize) {
        self.blocks.resize(groups, Block::default());
        self.counts.resize(groups * self.shape.flags(), 0);
        self.present_rows.resize(groups * self.shape.arguments(), 0);
        self.numbers
            .resize(groups * self.shape.numerics, Number::default());
        self.differing.resize(groups * self.shape.comparable.len(), 0);
        if let Some(sets) = &mut self.sets {
            sets.grow(groups);
        }
        if let Some(values) = &mut self.values {
            values.grow(groups);
        }
    }

    /// Interns the keys of a batch into `group_of_row`.
    fn intern(&mut self, keys: &[ArrayRef], rows: usize) -> Result<(), EvidenceError> {
        match &mut self.groups {
            None => {
                self.group_of_row.clear();
                self.group_of_row.resize(rows, 0);
            }
            Some(groups) => {
                groups.intern(keys, &mut self.group_of_row)?;
                let len = groups.len();
                self.grow(len);
            }
        }
        Ok(())
    }

    /// Takes a batch: unit, keys, arguments.
    ///
    /// # Errors
    /// [`EvidenceError::Order`] when a unit comes after a larger one, [`EvidenceError::Columns`] when the batch has
    /// other columns, [`EvidenceError::Overflow`] when a sum leaves 128 bits.
    pub(in crate::data) fn update(&mut self, batch: &RecordBatch) -> Result<(), EvidenceError> {
        let shape = Arc::clone(&self.shape);
        let (units, rest) = batch.columns().split_first().ok_or(EvidenceError::Columns)?;
        let units: &UInt32Array = units
            .as_primitive_opt::<UInt32Type>()
            .ok_or(EvidenceError::Columns)?;
        if units.null_count() > 0 || rest.len() != shape.layout.keys.len() + shape.arguments() {
            return Err(EvidenceError::Columns);
        }
        let (keys, arguments) = rest.split_at(shape.layout.keys.len());
        let mut columns = Vec::with_capacity(arguments.len());
        for (array, numeric) in arguments.iter().zip(&shape.numeric) {
            columns.push(match (numeric, array.data_type()) {
                (None, _) => Column::Other(array),
                (Some(_), DataType::Int64) => Column::Integers(array.as_primitive()),
                (Some(_), DataType::Decimal128(..)) => Column::Decimals(array.as_primitive()),
                (Some(_), DataType::Date32) => Column::Dates(array.as_primitive()),
                (Some(_), DataType::Timestamp(TimeUnit::Microsecond, None)) => {
                    Column::Timestamps(array.as_primitive())
                }
                (Some(_), _) => return Err(EvidenceError::Columns),
            });
        }
        self.intern(keys, batch.num_rows())?;
        let group_of_row = std::mem::take(&mut self.group_of_row);
        for (row, (unit, group)) in units.values().iter().zip(&group_of_row).enumerate() {
            let unit = u64::from(*unit) + 1;
            if unit < self.last {
                return Err(EvidenceError::Order);
            }
            self.last = unit;
            self.row(&shape, row, unit, *group, &columns)?;
        }
        self.group_of_row = group_of_row;
        Ok(())
    }

    fn row(
        &mut self,
        shape: &Shape,
        row: usize,
        unit: u64,
        group: usize,
        columns: &[Column<'_>],
    ) -> Result<(), EvidenceError> {
        let block = self.blocks.get_mut(group).ok_or(EvidenceError::Columns)?;
        let first = block.open != unit;
        if first {
            if block.open != 0 {
                self.close_group(group)?;
            }
            let block = self.blocks.get_mut(group).ok_or(EvidenceError::Columns)?;
            block.open = unit;
            block.units += 1;
            if let Some(sets) = &mut self.sets {
                sets.enter(group, u32::try_from(unit - 1).map_err(|_| EvidenceError::Order)?);
            }
        }
        let arguments = shape.arguments();
        let (mut flags, mut nulls) = (0_u128, false);
        for (argument, column) in columns.iter().enumerate() {
            if !column.is_valid(row) {
                flags |= 1 << shape.null(argument);
                nulls = true;
                continue;
            }
            flags |= 1 << shape.present(argument);
            if let Some(rows) = self.present_rows.get_mut(group * arguments + argument) {
                *rows += 1;
            }
            if shape.added.get(argument).copied().flatten().is_none() {
                flags |= 1 << shape.nonzero(argument);
            }
            let Some(Some(numeric)) = shape.numeric.get(argument) else {
                continue;
            };
            let number = self
                .numbers
                .get_mut(group * shape.numerics + numeric)
                .ok_or(EvidenceError::Columns)?;
            number.add(column.value(row), unit)?;
        }
        if nulls {
            for a in 0..arguments {
                for b in (0..arguments).filter(|b| *b != a) {
                    if flags & (1 << shape.present(a)) != 0 && flags & (1 << shape.null(b)) != 0 {
                        flags |= 1 << shape.pair(a, b);
                    }
                }
            }
        }
        let block = self.blocks.get_mut(group).ok_or(EvidenceError::Columns)?;
        block.rows += 1;
        let before = block.flags;
        block.flags |= flags;
        if let Some(sets) = &mut self.sets {
            for argument in 0..arguments {
                let present = 1 << shape.present(argument);
                let (was_without, is_without) =
                    (!first && before & present == 0, (before | flags) & present == 0);
                if was_without != is_without {
                    sets.turn(group, argument);
                }
            }
        }
        Ok(())
    }

    /// Closes the open unit of a group.
    fn close_group(&mut self, group: usize) -> Result<(), EvidenceError> {
        let flags_per_group = self.shape.flags();
        let numerics = self.shape.numerics;
        let arguments = self.shape.arguments();
        let block = self.blocks.get_mut(group).ok_or(EvidenceError::Columns)?;
        let mut flags = std::mem::take(&mut block.flags);
        let unit = std::mem::take(&mut block.open);
        // Whoever's values cancel out contributes nothing to the sum.
        for (argument, numeric) in self.shape.added.iter().enumerate() {
            let net = numeric.and_then(|numeric| self.numbers.get(group * numerics + numeric));
            let is_present = flags & (1 << self.shape.present(argument)) != 0;
            if let (Some(values), Some(number), true) = (&mut self.values, net, is_present) {
                values.add(group, argument, number.open);
            }
            if net.is_some_and(|number| number.open != 0) {
                flags |= 1 << self.shape.nonzero(argument);
            }
        }
        if let Some(sets) = &mut self.sets {
            let net = |numeric: &Option<usize>| {
                let number = numeric.and_then(|numeric| self.numbers.get(group * numerics + numeric));
                number.map_or(0, |number| number.open)
            };
            let rows = self.present_rows.iter().skip(group * arguments).copied();
            let given = rows.zip(self.shape.numeric.iter().map(net));
            let unit = u32::try_from(unit - 1).map_err(|_| EvidenceError::Order)?;
            sets.close(group, unit, std::iter::once((block.rows, 0)).chain(given));
        }
        let counts = self
            .counts
            .get_mut(group * flags_per_group..(group + 1) * flags_per_group);
        let counts = counts.ok_or(EvidenceError::Columns)?;
        while flags != 0 {
            if let Some(count) = counts.get_mut(flags.trailing_zeros() as usize) {
                *count += 1;
            }
            flags &= flags - 1;
        }
        let numbers = self.numbers.get_mut(group * numerics..(group + 1) * numerics);
        let numbers = numbers.ok_or(EvidenceError::Columns)?;
        let pairs = self.shape.comparable.len();
        let differing = self.differing.iter_mut().skip(group * pairs);
        for ((a, b), units) in self.shape.comparable.iter().zip(differing) {
            let net = |i: usize| numbers.get(i).map(|number| number.open);
            if net(*a) != net(*b) {
                *units += 1;
            }
        }
        for number in numbers {
            let net = std::mem::take(&mut number.open).unsigned_abs();
            number.contribute(net);
        }
        Ok(())
    }

    /// Closes all open units: the range is over, its units appear nowhere else.
    ///
    /// # Errors
    /// None in practice; groups and blocks belong together.
    pub(in crate::data) fn close(&mut self) -> Result<(), EvidenceError> {
        for group in 0..self.blocks.len() {
            if self.blocks.get(group).is_some_and(|block| block.open != 0) {
                self.close_group(group)?;
            }
        }
        Ok(())
    }

    /// Adds cells over other people. Both sides are closed.
    ///
    /// # Errors
    /// [`EvidenceError::Overflow`] when a sum leaves 128 bits.
    pub(in crate::data) fn merge(&mut self, mut other: Cells) -> Result<(), EvidenceError> {
        self.close()?;
        other.close()?;
        let (keys, groups) = other.take_keys()?;
        self.intern(&keys, groups)?;
        let (flags, arguments, numerics) = (self.shape.flags(), self.shape.arguments(), self.shape.numerics);
        let group_of_row = std::mem::take(&mut self.group_of_row);
        for (from, to) in group_of_row.iter().copied().enumerate() {
            let (Some(block), Some(added)) = (self.blocks.get_mut(to), other.blocks.get(from)) else {
                return Err(EvidenceError::Columns);
            };
            block.rows += added.rows;
            block.units += added.units;
            if let Some((sets, added)) = self.sets.as_mut().zip(other.sets.as_ref()) {
                sets.merge(to, added, from);
            }
            if let Some((values, added)) = self.values.as_mut().zip(other.values.as_ref()) {
                values.merge(to, added, from);
            }
            add_slices(&mut self.counts, to * flags, &other.counts, from * flags, flags);
            add_slices(
                &mut self.present_rows,
                to * arguments,
                &other.present_rows,
                from * arguments,
                arguments,
            );
            let pairs = self.shape.comparable.len();
            add_slices(
                &mut self.differing,
                to * pairs,
                &other.differing,
                from * pairs,
                pairs,
            );
            for i in 0..numerics {
                let number = self
                    .numbers
                    .get_mut(to * numerics + i)
                    .ok_or(EvidenceError::Columns)?;
                number.merge(
                    other
                        .numbers
                        .get(from * numerics + i)
                        .ok_or(EvidenceError::Columns)?,
                )?;
            }
        }
        self.group_of_row = group_of_row;
        Ok(())
    }
}

fn add_slices(to: &mut [u64], to_start: usize, from: &[u64], from_start: usize, length: usize) {
    let from = from.iter().skip(from_start).take(length);
    for (to, from) in to.iter_mut().skip(to_start).zip(from) {
        *to += from;
    }
}
