//! Base cells of a case: the evidence is counted from the people and values that it names.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::DataType;

use tre_core::evidence::{BaseCells, CellLayout, ValueKind, sketch};
use tre_core::sketch::{Shares, SketchShape, Sketcher};
use tre_core::types::ColumnType;

use super::CaseCell;

/// The layout of cells with these keys of text and these values over one argument, x, and with sets of people where the
/// policy reads them, and with values told apart where it asks for that.
pub(super) fn layout(
    keys: usize,
    values: Vec<ValueKind>,
    sets: Option<SketchShape>,
    unlike: Option<u32>,
) -> CellLayout {
    let arguments = values.iter().filter_map(|kind| kind.argument());
    CellLayout {
        keys: vec![ColumnType::Text; keys],
        arguments: arguments.take(1).map(|_| ColumnType::Int).collect(),
        values,
        sketch: sets,
        unlike,
    }
}

/// The cells in which there is anybody; a group of nobody is not among the cells that a worker answers.
///
/// # Errors
/// In words, when they contradict each other; a sum of [`MAX_PEOPLE`](super::MAX_PEOPLE) values does not overflow.
pub(super) fn base_cells(layout: &CellLayout, cells: &[CaseCell]) -> Result<BaseCells, String> {
    let groups: Vec<&CaseCell> = cells.iter().filter(|cell| cell.units() > 0).collect();
    let schema = layout.schema().map_err(|error| error.to_string())?;
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for (i, _) in layout.keys.iter().enumerate() {
        let labels = groups.iter().map(|cell| cell.key.get(i));
        columns.push(Arc::new(labels.collect::<StringArray>()));
    }
    for kind in &layout.values {
        columns.push(match kind {
            ValueKind::CountRows | ValueKind::CountUnits => longs(&groups, CaseCell::units),
            ValueKind::Count { .. } | ValueKind::CountUnitsOf { .. } => longs(&groups, CaseCell::present),
            ValueKind::Min { .. } | ValueKind::Max { .. } | ValueKind::Comoment { .. } => {
                return Err("a case has no smallest or largest values, and no co-moments".into());
            }
            ValueKind::Sum { .. } => decimals(&groups, CaseCell::sum)?,
        });
    }
    columns.push(counts(&groups, CaseCell::units));
    columns.push(counts(&groups, CaseCell::units));
    if !layout.arguments.is_empty() {
        columns.push(counts(&groups, CaseCell::present));
        columns.push(counts(&groups, CaseCell::present));
        columns.push(counts(&groups, CaseCell::nonzero));
        columns.push(decimals(&groups, |cell| Some(cell.largest(0)))?);
        columns.push(decimals(&groups, |cell| Some(cell.largest(1)))?);
        if let Some(most) = layout.unlike {
            columns.push(counts(&groups, |cell| cell.unlike().min(u64::from(most))));
        }
        columns.push(decimals(&groups, |cell| cell.distinct().min())?);
        columns.push(decimals(&groups, |cell| cell.distinct().max())?);
        columns.push(counts(&groups, |cell| cell.people));
    }
    if let Some(shape) = layout.sketch {
        for argument in std::iter::once(None).chain(layout.arguments.iter().map(Some)) {
            let people = groups.iter().enumerate().map(|(i, cell)| match argument {
                None => (i, cell.units(), false),
                Some(_) => (i, cell.present(), cell.present() < cell.units()),
            });
            columns.extend(sets(shape, people)?);
        }
    }
    let batch = RecordBatch::try_new(schema, columns).map_err(|error| error.to_string())?;
    BaseCells::new(layout.clone(), batch).map_err(|error| error.to_string())
}

impl CaseCell {
    /// People with a row.
    fn units(&self) -> u64 {
        self.present() + self.people
    }

    /// People with a value.
    fn present(&self) -> u64 {
        self.values.iter().map(|(people, _)| people).sum()
    }

    fn nonzero(&self) -> u64 {
        let contribute = self.values.iter().filter(|(_, value)| *value != 0);
        contribute.map(|(people, _)| people).sum()
    }

    fn sum(&self) -> Option<i128> {
        let parts = self.values.iter();
        let sum = parts
            .map(|(people, value)| i128::from(*people) * i128::from(*value))
            .sum();
        (self.present() > 0).then_some(sum)
    }

    /// People with another value than most.
    fn unlike(&self) -> u64 {
        let with = |value: i64| {
            let same = self.values.iter().filter(|(_, other)| *other == value);
            same.map(|(people, _)| people).sum()
        };
        let largest: Option<u64> = self.values.iter().map(|(_, value)| with(*value)).max();
        self.present() - largest.unwrap_or(0)
    }

    /// The values that somebody has.
    fn distinct(&self) -> impl Iterator<Item = i128> {
        let somebody = self.values.iter().filter(|(people, _)| *people > 0);
        somebody.map(|(_, value)| i128::from(*value))
    }

    /// The contribution that so many others are at least as large as; 0 where there is none.
    fn largest(&self, before: u64) -> i128 {
        let mut sizes: Vec<(i128, u64)> = self
            .values
            .iter()
            .map(|(people, value)| (i128::from(*value).abs(), *people))
            .collect();
        sizes.sort_by(|one, other| other.cmp(one));
        let mut seen = 0;
        for (size, people) in sizes {
            seen += people;
            if seen > before {
                return size;
            }
        }
        0
    }
}

/// Sets of people, a group each: its number, how many are in it, and whether these are a part of the group only. Who they
/// are is nobody in particular: every group has one vector, and its part another.
fn sets(
    shape: SketchShape,
    groups: impl Iterator<Item = (usize, u64, bool)>,
) -> Result<Vec<ArrayRef>, String> {
    let sketcher = Sketcher::new(&[0; 32], shape);
    let words = groups.map(|(group, people, part)| {
        let unit = u32::try_from(2 * group).map_or(0, |unit| unit + u32::from(part));
        let set = match people {
            0 => vec![0; shape.words()],
            _ => sketcher.vector(unit).words().to_vec(),
        };
        [set, Shares::default().words().to_vec()].concat()
    });
    let words: Vec<Vec<u64>> = words.collect();
    sketch::columns(shape, words.iter().map(Vec::as_slice)).map_err(|error| error.to_string())
}

fn longs(groups: &[&CaseCell], count: impl Fn(&CaseCell) -> u64) -> ArrayRef {
    // A cell has far fewer people than an Int64 holds.
    let counts = groups
        .iter()
        .map(|cell| i64::try_from(count(cell)).unwrap_or(i64::MAX));
    Arc::new(counts.collect::<Int64Array>())
}

fn counts(groups: &[&CaseCell], count: impl Fn(&CaseCell) -> u64) -> ArrayRef {
    Arc::new(groups.iter().map(|cell| count(cell)).collect::<UInt64Array>())
}

fn decimals(groups: &[&CaseCell], value: impl Fn(&CaseCell) -> Option<i128>) -> Result<ArrayRef, String> {
    let values = groups.iter().map(|cell| value(cell)).collect::<Decimal128Array>();
    let DataType::Decimal128(precision, scale) = ColumnType::Decimal { scale: 0 }.arrow() else {
        return Err("a decimal is not one".into());
    };
    let values = values.with_precision_and_scale(precision, scale);
    Ok(Arc::new(values.map_err(|error| error.to_string())?))
}
