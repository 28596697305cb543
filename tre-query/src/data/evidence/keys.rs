//! Keys of rows to numbers of groups.
//!
//! The engine's own grouping is the truth. Before it stands a memory of keys seen lately: a key of a few small columns
//! (codes of a dictionary, dates, whole numbers, truth values) is packed into one number, which has one place in the
//! memory. Most rows find their group there; the others are grouped by the engine and remembered. What is forgotten or
//! displaced costs time and nothing else.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Date32Type, Int32Type, Int64Type, SchemaRef};
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::EvidenceError;
use crate::data::files::arrow_error;

/// Places of the memory, a power of two.
const PLACES: usize = 1 << 14;

/// Groups and their keys.
pub(super) struct Keys {
    schema: SchemaRef,
    /// `None` for the one group of a query without GROUP BY.
    groups: Option<Box<dyn GroupValues>>,
    /// Key and group; a place that is not taken has the key [`FREE`].
    seen: Vec<(u128, usize)>,
    /// The dictionaries whose codes the memory knows, by key column.
    dictionaries: Vec<Option<ArrayRef>>,
    packed: Vec<u128>,
}

/// No packed key: those leave the highest bit out.
const FREE: u128 = u128::MAX;

/// Bits that a packed key can have.
const BITS: u32 = 127;

impl Keys {
    /// No groups yet; one where there are no keys.
    ///
    /// # Errors
    /// When keys of these types cannot be grouped.
    pub(super) fn new(schema: SchemaRef) -> Result<Self, EvidenceError> {
        let keys = schema.fields().len();
        let groups = match keys {
            0 => None,
            _ => Some(new_group_values(Arc::clone(&schema), &GroupOrdering::None)?),
        };
        Ok(Keys {
            schema,
            groups,
            seen: vec![],
            dictionaries: vec![None; keys],
            packed: vec![],
        })
    }

    /// Number of groups.
    pub(super) fn len(&self) -> usize {
        self.groups.as_ref().map_or(1, |groups| groups.len())
    }

    /// Bytes that they take.
    pub(super) fn memory(&self) -> usize {
        self.groups.as_ref().map_or(0, |groups| groups.size())
            + self.seen.capacity() * size_of::<(u128, usize)>()
            + self.packed.capacity() * size_of::<u128>()
    }

    /// The group of every row.
    ///
    /// # Errors
    /// When the columns are not those that were planned.
    pub(super) fn intern(
        &mut self,
        columns: &[ArrayRef],
        rows: usize,
        group_of_row: &mut Vec<usize>,
    ) -> Result<(), EvidenceError> {
        let Some(groups) = &mut self.groups else {
            group_of_row.clear();
            group_of_row.resize(rows, 0);
            return Ok(());
        };
        if self.seen.is_empty() {
            self.seen = vec![(FREE, 0); PLACES];
        }
        if !remember(&mut self.dictionaries, columns) {
            self.seen.fill((FREE, 0));
        }
        self.packed.clear();
        self.packed.resize(rows, 0);
        if !pack(columns, &mut self.packed) {
            let columns = plain(columns, &self.schema)?;
            return Ok(groups.intern(&columns, group_of_row)?);
        }
        group_of_row.clear();
        group_of_row.reserve(rows);
        let mut missed: Vec<u32> = vec![];
        for (row, key) in self.packed.iter().enumerate() {
            match self.seen.get(place(*key)) {
                Some((seen, group)) if seen == key => group_of_row.push(*group),
                Some(_) | None => {
                    missed.push(u32::try_from(row).map_err(|_| EvidenceError::Columns)?);
                    group_of_row.push(0);
                }
            }
        }
        if missed.is_empty() {
            return Ok(());
        }
        let missed = UInt32Array::from(missed);
        let columns = columns.iter().map(|column| take(column, &missed, None));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(arrow_error)?;
        let mut found = vec![];
        groups.intern(&plain(&columns, &self.schema)?, &mut found)?;
        for (row, group) in missed.values().iter().zip(found) {
            let row = *row as usize;
            let (Some(of_row), Some(key)) = (group_of_row.get_mut(row), self.packed.get(row)) else {
                return Err(EvidenceError::Columns);
            };
            *of_row = group;
            if let Some(place) = self.seen.get_mut(place(*key)) {
                *place = (*key, group);
            }
        }
        Ok(())
    }

    /// Keys of all groups, in the order of their numbers.
    ///
    /// # Errors
    /// When the engine fails.
    pub(super) fn take(&mut self) -> Result<Vec<ArrayRef>, EvidenceError> {
        self.seen = vec![];
        match &mut self.groups {
            None => Ok(vec![]),
            Some(groups) if groups.is_empty() => {
                let fields = self.schema.fields().iter();
                Ok(fields
                    .map(|field| arrow::array::new_empty_array(field.data_type()))
                    .collect())
            }
            Some(groups) => Ok(groups.emit(EmitTo::All)?),
        }
    }
}

/// Remembers the dictionaries of a batch; `false` when one of them is new, so that its codes mean something else.
fn remember(known: &mut [Option<ArrayRef>], columns: &[ArrayRef]) -> bool {
    let mut same = true;
    for (known, column) in known.iter_mut().zip(columns) {
        let values = column
            .as_dictionary_opt::<Int32Type>()
            .map(|dictionary| dictionary.values());
        let as_before = match (&*known, values) {
            (None, None) => true,
            // Batches of one file have arrays of their own over the same bytes.
            (Some(known), Some(values)) => known.to_data().ptr_eq(&values.to_data()),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if !as_before {
            *known = values.cloned();
            same = false;
        }
    }
    same
}

/// The columns in the types that are grouped by.
fn plain(columns: &[ArrayRef], schema: &SchemaRef) -> Result<Vec<ArrayRef>, EvidenceError> {
    let columns = columns.iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| match column.data_type() == field.data_type() {
        true => Ok(Arc::clone(column)),
        false => cast(column, field.data_type()).map_err(arrow_error),
    });
    Ok(columns.collect::<Result<_, _>>()?)
}

/// Packs the keys of every row into a number each; `false` when they are too many or of other types.
fn pack(columns: &[ArrayRef], packed: &mut [u128]) -> bool {
    let mut bits = 0;
    for column in columns {
        let width = match column.data_type() {
            DataType::Boolean => 1,
            DataType::Date32 | DataType::Dictionary(..) => 32,
            DataType::Int64 => 64,
            _ => return false,
        };
        // One more, which says NULL.
        bits += width + 1;
        if bits > BITS {
            return false;
        }
        let whole = match column.data_type() {
            DataType::Boolean => pack_boolean(column.as_boolean(), packed),
            DataType::Date32 => {
                let days = column.as_primitive::<Date32Type>();
                push(packed, days.values(), days, width, |days| {
                    u128::from(days.cast_unsigned())
                })
            }
            DataType::Int64 => {
                let numbers = column.as_primitive::<Int64Type>();
                push(packed, numbers.values(), numbers, width, |number| {
                    u128::from(number.cast_unsigned())
                })
            }
            _ => match column.as_dictionary_opt::<Int32Type>() {
                Some(dictionary) if dictionary.values().null_count() == 0 => {
                    let codes = dictionary.keys();
                    push(packed, codes.values(), codes, width, |code| {
                        u128::from(code.cast_unsigned())
                    })
                }
                Some(_) | None => false,
            },
        };
        if !whole {
            return false;
        }
    }
    true
}

fn pack_boolean(column: &BooleanArray, packed: &mut [u128]) -> bool {
    for (row, packed) in packed.iter_mut().enumerate() {
        let value = column.is_valid(row).then(|| u128::from(column.value(row)));
        *packed = *packed << 2 | value.unwrap_or(2);
    }
    packed.len() == column.len()
}

/// Shifts a column's values in, with the bit above them set for NULL.
fn push<T: Copy>(
    packed: &mut [u128],
    values: &[T],
    column: &dyn Array,
    width: u32,
    bits: impl Fn(T) -> u128,
) -> bool {
    match column.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => {
            for (packed, value) in packed.iter_mut().zip(values) {
                *packed = *packed << (width + 1) | bits(*value);
            }
        }
        Some(nulls) => {
            for ((packed, value), valid) in packed.iter_mut().zip(values).zip(nulls.iter()) {
                let value = if valid { bits(*value) } else { 1 << width };
                *packed = *packed << (width + 1) | value;
            }
        }
    }
    packed.len() == values.len()
}

/// Where a packed key would stand.
fn place(key: u128) -> usize {
    let mixed = ((key >> 64) as u64 ^ key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> (64 - PLACES.trailing_zeros())) as usize
}
