//! The state of all groups.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::UInt32Type;

use super::columns::Column;
use super::keys::Keys;
use super::number::{Number, Own};
use super::sketch::Sets;
use super::slots::{Slot, Slots};
use super::values::Values;
use super::{EvidenceError, Shape};

/// Rows that are taken at once: what is known of their people then fits into a processor's second cache.
const CHUNK_ROWS: usize = 2048;

/// Groups with their values and evidence.
pub(in crate::data) struct Cells {
    pub(super) shape: Arc<Shape>,
    pub(super) keys: Keys,
    pub(super) blocks: Vec<Block>,
    /// Per group: people per counted flag, see [`Shape::counted`].
    pub(super) counts: Vec<u64>,
    /// Per group and argument: rows where it is NULL.
    pub(super) absent_rows: Vec<u64>,
    /// Per group: numeric arguments.
    pub(super) numbers: Vec<Number>,
    /// Per group: people whose net contributions to a pair of arguments are the same.
    pub(super) same: Vec<u64>,
    slots: Slots,
    /// The last unit seen in this stream of ranges, plus one.
    last: u64,
    group_of_row: Vec<usize>,
    rows: Rows,
    /// Who is in each group; `None` where the policy reads no sets.
    pub(super) sets: Option<Sets>,
    /// What people contribute; `None` where no rule asks.
    pub(super) values: Option<Values>,
}

/// What does not depend on an argument.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Block {
    pub(super) rows: u64,
    pub(super) units: u64,
    /// The unit that has been here last plus one, 0 for none.
    last: u64,
    /// Its slot, while it is the last of all.
    slot: usize,
}

/// A chunk of rows.
#[derive(Debug, Default)]
struct Rows {
    slots: Vec<usize>,
    /// Per row: arguments that are NULL, a bit each. Empty where no argument is.
    absent: Vec<u16>,
}

impl Cells {
    /// No rows yet; without GROUP BY there is one group already.
    ///
    /// # Errors
    /// When keys of these types cannot be grouped.
    pub(in crate::data) fn new(shape: Arc<Shape>) -> Result<Self, EvidenceError> {
        let keys = Keys::new(Arc::clone(&shape.keys))?;
        let sketcher = shape.sketcher.clone();
        let sets = sketcher.map(|sketcher| Sets::new(sketcher, shape.arguments()));
        let values = shape.layout.unlike;
        let values = values.map(|most| Values::new(most, shape.arguments()));
        // Sets tell how many rows of a person have a value.
        let counted = if sets.is_some() { shape.arguments() } else { 0 };
        let slots = Slots::new(shape.numerics, counted);
        let mut cells = Cells {
            shape,
            keys,
            blocks: vec![],
            counts: vec![],
            absent_rows: vec![],
            numbers: vec![],
            same: vec![],
            slots,
            last: 0,
            group_of_row: vec![],
            rows: Rows::default(),
            sets,
            values,
        };
        cells.grow(cells.keys.len());
        Ok(cells)
    }

    /// Bytes that the state takes.
    pub(in crate::data) fn memory(&self) -> usize {
        self.keys.memory()
            + self.blocks.capacity() * size_of::<Block>()
            + (self.counts.capacity() + self.absent_rows.capacity() + self.same.capacity()) * size_of::<u64>()
            + self.numbers.capacity() * size_of::<Number>()
            + self.group_of_row.capacity() * size_of::<usize>()
            + self.slots.memory()
            + self.sets.as_ref().map_or(0, Sets::memory)
            + self.values.as_ref().map_or(0, Values::memory)
    }

    fn grow(&mut self, groups: usize) {
        self.blocks.resize(groups, Block::default());
        self.counts.resize(groups * self.shape.flags(), 0);
        self.absent_rows.resize(groups * self.shape.arguments(), 0);
        self.numbers
            .resize(groups * self.shape.numerics, Number::default());
        self.same.resize(groups * self.shape.comparable.len(), 0);
        if let Some(sets) = &mut self.sets {
            sets.grow(groups);
        }
        if let Some(values) = &mut self.values {
            values.grow(groups);
        }
    }

    /// Interns the keys of a batch into `group_of_row`.
    fn intern(&mut self, keys: &[ArrayRef], rows: usize) -> Result<(), EvidenceError> {
        self.keys.intern(keys, rows, &mut self.group_of_row)?;
        self.grow(self.keys.len());
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
        let columns = Column::all(arguments, &shape)?;
        self.intern(keys, batch.num_rows())?;
        let group_of_row = std::mem::take(&mut self.group_of_row);
        let chunks = units
            .values()
            .chunks(CHUNK_ROWS)
            .zip(group_of_row.chunks(CHUNK_ROWS));
        let mut start = 0;
        for (units, groups) in chunks {
            self.absent(start, units.len(), &columns);
            self.assign(units, groups)?;
            self.add_values(start, &columns)?;
            self.close_slots()?;
            start += units.len();
        }
        self.group_of_row = group_of_row;
        Ok(())
    }

    /// Which arguments are NULL in the rows of a chunk.
    fn absent(&mut self, start: usize, length: usize, columns: &[Column<'_>]) {
        let absent = &mut self.rows.absent;
        absent.clear();
        for (argument, column) in columns.iter().enumerate() {
            let Some(nulls) = column.nulls() else { continue };
            absent.resize(length, 0);
            let valid = nulls.inner().slice(start, length);
            for (absent, valid) in absent.iter_mut().zip(valid.iter()) {
                *absent |= u16::from(!valid) << argument;
            }
        }
    }

    /// Finds the slot of every row of a chunk, and notes in it what the row is.
    fn assign(&mut self, units: &[u32], groups: &[usize]) -> Result<(), EvidenceError> {
        let arguments = self.shape.arguments();
        let complete = self.shape.flags_of(0);
        self.rows.slots.clear();
        let mut absent = self.rows.absent.iter();
        for (person, group) in units.iter().zip(groups) {
            let unit = u64::from(*person) + 1;
            if unit != self.last {
                if unit < self.last {
                    return Err(EvidenceError::Order);
                }
                self.last = unit;
                self.slots.next_person();
            }
            let block = self.blocks.get_mut(*group).ok_or(EvidenceError::Columns)?;
            if block.last != unit {
                block.last = unit;
                block.slot = self.slots.begin(*group, *person);
            }
            let mut flags = complete;
            if let Some(absent) = absent.next().copied().filter(|absent| *absent != 0) {
                flags = self.shape.flags_of(absent);
                let rows = self.absent_rows.iter_mut().skip(group * arguments);
                for (argument, rows) in rows.take(arguments).enumerate() {
                    *rows += u64::from(absent >> argument & 1);
                }
                self.slots.nulls(block.slot, absent);
            }
            self.slots.row(block.slot, flags)?;
            self.rows.slots.push(block.slot);
        }
        Ok(())
    }

    /// Adds the numbers of a chunk's rows to their slots.
    fn add_values(&mut self, start: usize, columns: &[Column<'_>]) -> Result<(), EvidenceError> {
        let (rows, slots) = (&self.rows.slots, &mut self.slots);
        for (column, numeric) in columns.iter().zip(&self.shape.numeric) {
            let Some(numeric) = numeric else { continue };
            column.each(start, rows.len(), |row, value| {
                let slot = rows.get(row).ok_or(EvidenceError::Columns)?;
                slots.own(*slot, *numeric)?.add(value)
            })?;
        }
        Ok(())
    }

    /// Closes everybody but the last person.
    fn close_slots(&mut self) -> Result<(), EvidenceError> {
        let groups = Groups {
            shape: &self.shape,
            blocks: &mut self.blocks,
            counts: &mut self.counts,
            numbers: &mut self.numbers,
            same: &mut self.same,
            sets: self.sets.as_mut(),
            values: self.values.as_mut(),
        };
        groups.close(&self.slots)?;
        for (slot, group) in self.slots.forget_closed().enumerate() {
            self.blocks.get_mut(group).ok_or(EvidenceError::Columns)?.slot = slot;
        }
        Ok(())
    }

    /// Closes everybody: the range is over, its units appear nowhere else.
    ///
    /// # Errors
    /// [`EvidenceError::Overflow`] when a sum leaves 128 bits.
    pub(in crate::data) fn close(&mut self) -> Result<(), EvidenceError> {
        if self.slots.is_empty() {
            return Ok(());
        }
        // The last person, too, cannot come again.
        self.last += 1;
        self.slots.next_person();
        self.close_slots()
    }

    /// Adds cells over other people. Both sides are closed.
    ///
    /// # Errors
    /// [`EvidenceError::Overflow`] when a sum leaves 128 bits.
    pub(in crate::data) fn merge(&mut self, mut other: Cells) -> Result<(), EvidenceError> {
        self.close()?;
        other.close()?;
        let keys = other.keys.take()?;
        self.intern(&keys, other.blocks.len())?;
        let (flags, arguments, numerics) = (self.shape.flags(), self.shape.arguments(), self.shape.numerics);
        let pairs = self.shape.comparable.len();
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
            add_slices(&mut self.counts, to, &other.counts, from, flags);
            add_slices(&mut self.absent_rows, to, &other.absent_rows, from, arguments);
            add_slices(&mut self.same, to, &other.same, from, pairs);
            let numbers = self.numbers.iter_mut().skip(to * numerics).take(numerics);
            for (number, added) in numbers.zip(other.numbers.iter().skip(from * numerics)) {
                number.merge(added)?;
            }
        }
        self.group_of_row = group_of_row;
        Ok(())
    }
}

/// What closed people are added to.
struct Groups<'a> {
    shape: &'a Shape,
    blocks: &'a mut [Block],
    counts: &'a mut [u64],
    numbers: &'a mut [Number],
    same: &'a mut [u64],
    sets: Option<&'a mut Sets>,
    values: Option<&'a mut Values>,
}

impl Groups<'_> {
    fn close(mut self, slots: &Slots) -> Result<(), EvidenceError> {
        let (flags, numerics) = (self.shape.flags(), self.shape.numerics);
        let pairs = self.shape.comparable.len();
        for (slot, own, absent) in slots.closed() {
            let Slot {
                group, unit, rows, ..
            } = *slot;
            let block = self.blocks.get_mut(group).ok_or(EvidenceError::Columns)?;
            block.rows += rows;
            block.units += 1;
            let numbers = self.numbers.get_mut(group * numerics..(group + 1) * numerics);
            for (number, own) in numbers.ok_or(EvidenceError::Columns)?.iter_mut().zip(own) {
                if own.smallest <= own.largest {
                    number.close(own)?;
                }
            }
            if let Some(values) = &mut self.values {
                for (argument, added) in self.shape.added.iter().enumerate() {
                    let is_present = slot.flags & (1 << self.shape.present(argument)) != 0;
                    if let (Some(own), true) = (added.and_then(|numeric| own.get(numeric)), is_present) {
                        values.add(group, argument, own.net);
                    }
                }
            }
            if let Some(sets) = &mut self.sets {
                let net = |numeric: &Option<usize>| {
                    numeric
                        .and_then(|numeric| own.get(numeric))
                        .map_or(0, |own| own.net)
                };
                let given = absent.iter().map(|absent| rows.saturating_sub(*absent));
                let given = given.zip(self.shape.numeric.iter().map(net));
                sets.close(group, unit, std::iter::once((rows, 0)).chain(given));
            }
            let mut counted = self.shape.counted(slot.flags, own);
            if counted != 0 {
                let counts = self.counts.get_mut(group * flags..(group + 1) * flags);
                let counts = counts.ok_or(EvidenceError::Columns)?;
                while counted != 0 {
                    if let Some(count) = counts.get_mut(counted.trailing_zeros() as usize) {
                        *count += 1;
                    }
                    counted &= counted - 1;
                }
            }
            let same = self.same.iter_mut().skip(group * pairs);
            for ((a, b), units) in self.shape.comparable.iter().zip(same) {
                let net = |i: usize| own.get(i).map(|own: &Own| own.net);
                *units += u64::from(net(*a) == net(*b));
            }
        }
        Ok(())
    }
}

/// Adds the `length` values of one group to those of another.
fn add_slices(to: &mut [u64], to_group: usize, from: &[u64], from_group: usize, length: usize) {
    let from = from.iter().skip(from_group * length).take(length);
    for (to, from) in to.iter_mut().skip(to_group * length).zip(from) {
        *to += from;
    }
}
