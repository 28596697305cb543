//! The evidence columns of unit sets, there where a ledger is kept: last in the layout.
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `units_hash`, `units_lanes`, `units_sketch` | `FixedSizeBinary` of 16, 32 and 8·capacity bytes | the set of units with a row |
//! | `a0_hash`, `a0_lanes`, `a0_sketch`… | the same | per argument: the set of units with a row where it is not NULL |
//!
//! | `units_shares`, `a0_shares`… | `FixedSizeBinary(72)` | what each unit gives: its rows, and for an argument those where it is not NULL and their sum |
//!
//! The bytes are the words of a [`UnitSet`], little-endian, in the order hash, lanes, sums; its count is the column
//! `units` or `a0_present`.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray};
use arrow_schema::{ArrowError, DataType, Field};

use super::{BaseCells, CellLayout, LayoutError};
use crate::sketch::{SHARES_WORDS, Shares, SketchShape, UnitSet};

/// Bytes of the hash and of the lanes of a set.
const HASH_BYTES: usize = 16;
const LANES_BYTES: usize = 32;

fn widths(shape: SketchShape) -> [(&'static str, usize); 4] {
    let sums = 8 * shape.capacity() as usize;
    [
        ("hash", HASH_BYTES),
        ("lanes", LANES_BYTES),
        ("sketch", sums),
        ("shares", 8 * SHARES_WORDS),
    ]
}

fn name(argument: Option<usize>, part: &str) -> String {
    match argument {
        None => format!("units_{part}"),
        Some(argument) => format!("a{argument}_{part}"),
    }
}

/// The row itself, then the arguments.
fn arguments(layout: &CellLayout) -> impl Iterator<Item = Option<usize>> + use<> {
    std::iter::once(None).chain((0..layout.arguments.len()).map(Some))
}

/// The fields of a layout's sets; none where it has no sketch.
pub(super) fn fields(layout: &CellLayout) -> Vec<Field> {
    let of_argument = |shape: SketchShape, argument| {
        widths(shape).map(|(part, bytes)| {
            let width = i32::try_from(bytes).unwrap_or(i32::MAX);
            Field::new(name(argument, part), DataType::FixedSizeBinary(width), false)
        })
    };
    let shape = layout.sketch.into_iter();
    shape
        .flat_map(|shape| arguments(layout).flat_map(move |argument| of_argument(shape, argument)))
        .collect()
}

/// The columns of the sets of one argument, from the words of each group's set, [`SketchShape::words`], and after them
/// those of its shares.
///
/// # Errors
/// When a group has fewer words.
pub fn columns<'a>(
    shape: SketchShape,
    sets: impl Iterator<Item = &'a [u64]> + Clone,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(4);
    let mut start = 0;
    for (_, bytes) in widths(shape) {
        let of_group = |words: &'a [u64]| {
            let words = words.get(start..start + bytes / 8).unwrap_or_default();
            words
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect::<Vec<u8>>()
        };
        let width = i32::try_from(bytes).unwrap_or(i32::MAX);
        let values = sets.clone().map(|words| Some(of_group(words)));
        columns.push(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(
            values, width,
        )?));
        start += bytes / 8;
    }
    Ok(columns)
}

/// The sets of one argument, group by group.
#[derive(Debug)]
pub struct UnitSets<'a> {
    cells: &'a BaseCells,
    argument: Option<usize>,
    parts: [&'a FixedSizeBinaryArray; 3],
    shares: &'a FixedSizeBinaryArray,
}

impl UnitSets<'_> {
    /// The set of units behind a group; `None` for a row that does not exist.
    pub fn at(&self, row: usize) -> Option<UnitSet> {
        let words = self.parts.into_iter().map(|part| words(part, row));
        let words = words.collect::<Option<Vec<_>>>()?.concat();
        UnitSet::new(self.cells.present(self.argument, row), words)
    }

    /// What each of them gives; `None` for a row that does not exist.
    pub fn shares_at(&self, row: usize) -> Option<Shares> {
        Shares::new(&words(self.shares, row)?)
    }
}

fn words(part: &FixedSizeBinaryArray, row: usize) -> Option<Vec<u64>> {
    let bytes = (row < part.len()).then(|| part.value(row))?;
    let (chunks, _) = bytes.as_chunks::<8>();
    Some(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect())
}

impl BaseCells {
    /// The sets of units with a row where the argument is not NULL; for the row itself, of units with a row. `None`
    /// where the layout has no sketch or no such argument.
    pub fn unit_sets(&self, argument: Option<usize>) -> Option<UnitSets<'_>> {
        let part = |part: &str| {
            let column = self.batch().column_by_name(&name(argument, part))?;
            column.as_any().downcast_ref::<FixedSizeBinaryArray>()
        };
        Some(UnitSets {
            cells: self,
            argument,
            parts: [part("hash")?, part("lanes")?, part("sketch")?],
            shares: part("shares")?,
        })
    }

    /// Sets agree with their counts as far as that can be seen: nobody is the empty set, somebody is not, and an
    /// argument that everybody has is the set of everybody.
    pub(super) fn check_sets(&self) -> Result<(), LayoutError> {
        if self.layout().sketch.is_none() {
            return Ok(());
        }
        let missing = || LayoutError::Schema("unit sets".to_owned());
        let everybody = self.unit_sets(None).ok_or_else(missing)?;
        for argument in arguments(self.layout()) {
            let sets = self.unit_sets(argument).ok_or_else(missing)?;
            for row in 0..self.len() {
                let (set, all) = (sets.at(row), everybody.at(row));
                let (set, all) = set.zip(all).ok_or_else(missing)?;
                let nobody = set.words().iter().all(|word| *word == 0);
                let same = set.words() == all.words();
                if nobody != (set.units() == 0) || same != (set.units() == all.units()) {
                    return Err(LayoutError::Contradiction {
                        row,
                        what: "a unit set and its count",
                    });
                }
            }
        }
        Ok(())
    }
}
