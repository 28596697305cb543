//! The groups of a treated table: all that were counted, and all that a declared domain holds, in an order that depends
//! on the keys alone.
//!
//! Every key's values get ranks: those of the declared domain first, in the declared order; then other values, ascending
//! (numbers and dates by value, text by its UTF-8 bytes, false before true); NULL last. Rows are sorted by the ranks of
//! their keys, first key first. Which values other rows hold does not change the order of two rows.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray,
};

use tre_core::policy::DomainsRule;
use tre_core::types::{ColumnType, Value};

use crate::rules::completion;

/// Why base cells cannot be brought into order: they contradict the lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GroupsError {
    /// A key column or a declared value is not of the key's type.
    #[error("a key is not of its declared type")]
    KeyType,
    /// Two rows of base cells have the same keys.
    #[error("a group stands twice among the base cells")]
    Twice,
}

/// Groups in canonical order.
#[derive(Debug)]
pub(crate) struct Groups<'a> {
    keys: Vec<KeyValues<'a>>,
    rows: Vec<Group>,
    /// Ranks of all rows, `keys.len()` per row, by [`Group::place`].
    ranks: Vec<usize>,
}

/// One group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its row among the base cells; `None`: nobody is in it, it stands there because its domain declares it.
    pub source: Option<usize>,
    /// Whether it stands in the answer whatever the data are.
    pub declared: bool,
    place: usize,
}

/// The values of one key by rank.
#[derive(Debug)]
struct KeyValues<'a> {
    column_type: ColumnType,
    values: Vec<Key<'a>>,
}

/// A key's value: text, or anything else as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key<'a> {
    Number(i128),
    Text(&'a str),
}

impl<'a> Groups<'a> {
    /// Orders the rows of base cells and completes declared domains as far as the policy wishes.
    ///
    /// `columns` are the key columns of `length` base cells; `domains` has one entry per key.
    pub(crate) fn new(
        columns: &'a [ArrayRef],
        length: usize,
        types: &[ColumnType],
        domains: &[Option<&'a [Value]>],
        rule: &DomainsRule,
    ) -> Result<Self, GroupsError> {
        let width = types.len();
        if columns.len() != width || domains.len() != width {
            return Err(GroupsError::KeyType);
        }
        let mut ranks = vec![0; length * width];
        let mut keys = Vec::with_capacity(width);
        let mut declared_sizes = Vec::with_capacity(width);
        for (position, ((column, column_type), domain)) in columns.iter().zip(types).zip(domains).enumerate() {
            let (key, declared, row_ranks) = rank(column, *column_type, *domain)?;
            for (row, rank) in row_ranks.into_iter().enumerate() {
                if let Some(slot) = ranks.get_mut(row * width + position) {
                    *slot = rank;
                }
            }
            keys.push(key);
            declared_sizes.push(declared);
        }
        let product = completion::product(&declared_sizes, rule);
        let mut rows: Vec<Group> = (0..length)
            .map(|place| Group { source: Some(place), declared: false, place })
            .collect();
        if let Some(product) = product {
            let present = rows.iter_mut().filter_map(|group| {
                let position = product.position(row_of(&ranks, width, group.place))?;
                group.declared = true;
                Some(position)
            });
            for position in product.missing(present) {
                rows.push(Group { source: None, declared: true, place: rows.len() });
                ranks.extend(product.combination(position));
            }
        }
        rows.sort_by(|a, b| row_of(&ranks, width, a.place).cmp(row_of(&ranks, width, b.place)));
        let same = |pair: &[Group]| match pair {
            [a, b] => row_of(&ranks, width, a.place) == row_of(&ranks, width, b.place),
            _ => false,
        };
        if rows.windows(2).any(same) {
            return Err(GroupsError::Twice);
        }
        Ok(Groups { keys, rows, ranks })
    }

    /// The groups, in order.
    pub(crate) fn rows(&self) -> &[Group] {
        &self.rows
    }

    /// Leaves out groups, by position.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut keep = keep.iter();
        self.rows.retain(|_| keep.next().copied().unwrap_or(false));
    }

    /// The key columns of the groups, in order.
    pub(crate) fn key_columns(&self) -> Vec<ArrayRef> {
        let width = self.keys.len();
        self.keys
            .iter()
            .enumerate()
            .map(|(position, key)| {
                let values = self.rows.iter().map(|group| {
                    let rank = row_of(&self.ranks, width, group.place).get(position)?;
                    key.values.get(*rank).copied()
                });
                column(key.column_type, values)
            })
            .collect()
    }
}

fn row_of(ranks: &[usize], width: usize, place: usize) -> &[usize] {
    ranks.get(place * width..(place + 1) * width).unwrap_or_default()
}

/// Ranks of one key: its values by rank, how many of them are declared (`None`: it declares no domain), and the rank of
/// every row. NULL has the rank after the last value.
#[expect(clippy::type_complexity, reason = "three results of one pass, taken apart by the only caller")]
fn rank<'a>(
    column: &'a ArrayRef,
    column_type: ColumnType,
    domain: Option<&'a [Value]>,
) -> Result<(KeyValues<'a>, Option<usize>, Vec<usize>), GroupsError> {
    let cells = cells(column, column_type).ok_or(GroupsError::KeyType)?;
    let mut values: Vec<Key<'a>> = Vec::new();
    let mut rank_of: HashMap<Key<'a>, usize> = HashMap::new();
    for value in domain.unwrap_or_default() {
        let key = declared_key(value, column_type).ok_or(GroupsError::KeyType)?;
        rank_of.entry(key).or_insert_with(|| {
            values.push(key);
            values.len() - 1
        });
    }
    let declared = domain.map(|_| values.len());
    let mut others: BTreeSet<Key<'a>> = BTreeSet::new();
    let mut last = None;
    for cell in cells.iter().flatten() {
        if last != Some(*cell) && !rank_of.contains_key(cell) {
            others.insert(*cell);
        }
        last = Some(*cell);
    }
    for key in others {
        rank_of.insert(key, values.len());
        values.push(key);
    }
    let null = values.len();
    let ranks = cells.iter().map(|cell| cell.map_or(null, |key| rank_of.get(&key).copied().unwrap_or(null))).collect();
    Ok((KeyValues { column_type, values }, declared, ranks))
}

fn declared_key(value: &Value, column_type: ColumnType) -> Option<Key<'_>> {
    if value.column_type() != column_type {
        return None;
    }
    match value {
        Value::Null(_) => None,
        Value::Int(number) | Value::Timestamp(number) => Some(Key::Number(i128::from(*number))),
        Value::Decimal { unscaled, .. } => Some(Key::Number(*unscaled)),
        Value::Bool(truth) => Some(Key::Number(i128::from(*truth))),
        Value::Date(days) => Some(Key::Number(i128::from(*days))),
        Value::Text(text) => Some(Key::Text(text)),
    }
}

/// The cells of a key column; `None` when the column is of another type.
fn cells(column: &ArrayRef, column_type: ColumnType) -> Option<Vec<Option<Key<'_>>>> {
    if column.data_type() != &column_type.arrow() {
        return None;
    }
    Some(match column_type {
        ColumnType::Int => numbers::<Int64Type>(column)?,
        ColumnType::Decimal { .. } => numbers::<Decimal128Type>(column)?,
        ColumnType::Date => numbers::<Date32Type>(column)?,
        ColumnType::Timestamp => numbers::<TimestampMicrosecondType>(column)?,
        ColumnType::Bool => {
            column.as_boolean_opt()?.iter().map(|cell| cell.map(|truth| Key::Number(i128::from(truth)))).collect()
        }
        ColumnType::Text => column.as_string_opt::<i32>()?.iter().map(|cell| cell.map(Key::Text)).collect(),
    })
}

fn numbers<T>(column: &ArrayRef) -> Option<Vec<Option<Key<'_>>>>
where
    T: ArrowPrimitiveType,
    i128: From<T::Native>,
{
    let cells = column.as_primitive_opt::<T>()?.iter();
    Some(cells.map(|cell| cell.map(|number| Key::Number(i128::from(number)))).collect())
}

/// Builds a key column. The values came out of columns and domains of this type, so each conversion succeeds.
fn column<'a>(column_type: ColumnType, values: impl Iterator<Item = Option<Key<'a>>>) -> ArrayRef {
    let number = |key: Option<Key<'a>>| match key {
        Some(Key::Number(number)) => Some(number),
        Some(Key::Text(_)) | None => None,
    };
    let long = |key| number(key).and_then(|number| i64::try_from(number).ok());
    match column_type {
        ColumnType::Int => Arc::new(values.map(long).collect::<Int64Array>()),
        ColumnType::Timestamp => Arc::new(values.map(long).collect::<TimestampMicrosecondArray>()),
        ColumnType::Date => {
            let days = values.map(|key| number(key).and_then(|number| i32::try_from(number).ok()));
            Arc::new(days.collect::<Date32Array>())
        }
        ColumnType::Bool => {
            Arc::new(values.map(|key| number(key).map(|number| number != 0)).collect::<BooleanArray>())
        }
        ColumnType::Decimal { .. } => {
            let numbers = values.map(number).collect::<Decimal128Array>();
            Arc::new(numbers.with_data_type(column_type.arrow()))
        }
        ColumnType::Text => {
            let texts = values.map(|key| match key {
                Some(Key::Text(text)) => Some(text),
                Some(Key::Number(_)) | None => None,
            });
            Arc::new(texts.collect::<StringArray>())
        }
    }
}
