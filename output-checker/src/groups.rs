//! The groups of a treated table: all that were counted, and all that a declared domain holds, in an order that depends
//! on the keys alone.
//!
//! Every key's values get ranks: those of the declared domain first, in the declared order; then other values, ascending
//! (numbers and dates by value, text by its UTF-8 bytes, false before true); NULL last. Rows are sorted by the ranks of
//! their keys, first key first. Which values other rows hold does not change the order of two rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};

use tre_core::policy::DomainsRule;
use tre_core::types::{ColumnType, Value};

use crate::rules::completion::{self, Product};
use crate::treatments::Place;

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
}

/// One group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its row among the base cells; `None`: nobody is in it, it stands there because its domain declares it.
    pub source: Option<usize>,
    /// Whether it stands in the answer whatever the data are.
    pub declared: bool,
    /// Its index in [`KeyValues::ranks`].
    place: usize,
}

/// The values of one key by rank.
#[derive(Debug)]
struct KeyValues<'a> {
    column_type: ColumnType,
    /// Declared values first, then others; NULL has the rank after the last.
    values: Vec<Key<'a>>,
    /// How many of them are declared; `None`: the key declares no domain.
    declared: Option<usize>,
    /// Rank of the key in each group, base cells first.
    ranks: Vec<usize>,
}

/// A key's value: text, or anything else as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key<'a> {
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
        if columns.len() != types.len() || domains.len() != types.len() {
            return Err(GroupsError::KeyType);
        }
        let keys = columns.iter().zip(types).zip(domains);
        let mut keys = keys
            .map(|((column, column_type), domain)| KeyValues::new(column, *column_type, *domain))
            .collect::<Result<Vec<_>, GroupsError>>()?;
        let mut rows: Vec<Group> = (0..length)
            .map(|place| Group {
                source: Some(place),
                declared: false,
                place,
            })
            .collect();
        let sizes: Vec<Option<usize>> = keys.iter().map(|key| key.declared).collect();
        if let Some(product) = completion::product(&sizes, rule) {
            complete(&mut keys, &mut rows, &product);
        }
        sort(&keys, &mut rows);
        let same = |a: &Group, b: &Group| keys.iter().all(|key| key.rank(a) == key.rank(b));
        if rows.iter().zip(rows.iter().skip(1)).any(|(a, b)| same(a, b)) {
            return Err(GroupsError::Twice);
        }
        Ok(Groups { keys, rows })
    }

    /// The groups, in order.
    pub(crate) fn rows(&self) -> &[Group] {
        &self.rows
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.keys.len()
    }

    /// A group's value of a key as SQL prints texts and integers; `None` for NULL and for values of other types.
    pub(crate) fn label(&self, group: &Group, key: usize) -> Option<String> {
        let key = self.keys.get(key)?;
        match (key.column_type, key.values.get(key.rank(group))?) {
            (ColumnType::Text, Key::Text(text)) => Some((*text).to_owned()),
            (ColumnType::Int, Key::Number(number)) => Some(number.to_string()),
            (_, Key::Text(_) | Key::Number(_)) => None,
        }
    }

    /// The line of every group along one key: groups with equal values of all other keys have equal numbers. `None` where
    /// the key is NULL.
    pub(crate) fn lines(&self, along: usize) -> Vec<Option<usize>> {
        let others = || self.keys.iter().enumerate().filter(|(i, _)| *i != along);
        let mut lines: Vec<Option<usize>> = self
            .rows
            .iter()
            .map(|group| {
                let key = self.keys.get(along)?;
                (key.rank(group) < key.values.len()).then_some(0)
            })
            .collect();
        let mut each = others().map(|(_, key)| key.values.len() + 1);
        let product = each.try_fold(1_usize, |product, ranks| product.checked_mul(ranks));
        // Where most combinations of ranks are groups, a combination's position is its line.
        let dense = product.is_some_and(|product| product <= self.rows.len().saturating_mul(4));
        for (_, key) in others() {
            let ranks = key.values.len() + 1;
            // Else each key splits the lines so far; numbers are given in the order in which they are met.
            let mut met: HashMap<(usize, usize), usize> = HashMap::new();
            for (line, group) in lines.iter_mut().zip(&self.rows) {
                let Some(line) = line else { continue };
                let (before, rank) = (*line, key.rank(group));
                let next = met.len();
                *line = match dense {
                    true => before * ranks + rank,
                    false => *met.entry((before, rank)).or_insert(next),
                };
            }
        }
        lines
    }

    /// Where each group stands when the table is read as one of two ways: a row per value of the first key, NULL among
    /// them, a column per combination of the others.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = self
            .rows
            .iter()
            .map(|group| Place {
                row: self.keys.first().map_or(0, |key| key.rank(group)),
                column: 0,
            })
            .collect();
        for key in self.keys.iter().skip(1) {
            let mut met: HashMap<(usize, usize), usize> = HashMap::new();
            for (place, group) in places.iter_mut().zip(&self.rows) {
                let next = met.len();
                place.column = *met.entry((place.column, key.rank(group))).or_insert(next);
            }
        }
        places
    }

    /// Leaves out groups, by position.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut keep = keep.iter();
        self.rows.retain(|_| keep.next().copied().unwrap_or(false));
    }

    /// The key columns of the groups, in order.
    pub(crate) fn key_columns(&self) -> Vec<ArrayRef> {
        let of_key = |key: &KeyValues<'a>| {
            column(
                key.column_type,
                self.rows
                    .iter()
                    .map(|group| key.values.get(key.rank(group)).copied()),
            )
        };
        self.keys.iter().map(of_key).collect()
    }
}

/// Marks the groups that the product declares, and adds those of it that nobody is in.
fn complete(keys: &mut [KeyValues<'_>], rows: &mut Vec<Group>, product: &Product) {
    let mut present = Vec::with_capacity(rows.len());
    let mut ranks = Vec::with_capacity(keys.len());
    for group in rows.iter_mut() {
        ranks.clear();
        ranks.extend(keys.iter().map(|key| key.rank(group)));
        if let Some(position) = product.position(&ranks) {
            group.declared = true;
            present.push(position);
        }
    }
    for position in product.missing(present.into_iter()) {
        rows.push(Group {
            source: None,
            declared: true,
            place: rows.len(),
        });
        for (key, rank) in keys.iter_mut().zip(product.combination(position)) {
            key.ranks.push(rank);
        }
    }
}

/// Sorts by the ranks of the keys, first key first: a stable counting sort per key, last key first.
fn sort(keys: &[KeyValues<'_>], rows: &mut Vec<Group>) {
    for key in keys.iter().rev() {
        // The end of each rank's groups in the sorted order, which its groups then fill from the back.
        let mut ends = vec![0_usize; key.values.len() + 1];
        for group in rows.iter() {
            if let Some(count) = ends.get_mut(key.rank(group)) {
                *count += 1;
            }
        }
        let mut before = 0;
        for end in &mut ends {
            before += *end;
            *end = before;
        }
        let mut sorted = rows.clone();
        for group in rows.iter().rev() {
            if let Some(end) = ends.get_mut(key.rank(group)) {
                *end -= 1;
                if let Some(slot) = sorted.get_mut(*end) {
                    *slot = *group;
                }
            }
        }
        *rows = sorted;
    }
}

impl<'a> KeyValues<'a> {
    fn new(
        column: &'a ArrayRef,
        column_type: ColumnType,
        domain: Option<&'a [Value]>,
    ) -> Result<Self, GroupsError> {
        let cells = cells(column, column_type).ok_or(GroupsError::KeyType)?;
        // Values in the order in which they are met, the domain's first.
        let mut values: Vec<Key<'a>> = Vec::new();
        let mut met: HashMap<Key<'a>, usize> = HashMap::new();
        let mut meet = |key: Key<'a>| {
            *met.entry(key).or_insert_with(|| {
                values.push(key);
                values.len() - 1
            })
        };
        for value in domain.unwrap_or_default() {
            meet(declared_key(value, column_type).ok_or(GroupsError::KeyType)?);
        }
        let declared =
            domain.map(|domain| domain.iter().filter_map(|value| declared_key(value, column_type)));
        let declared = declared.map(|keys| keys.collect::<HashSet<_>>().len());
        let mut ranks: Vec<usize> = cells
            .iter()
            .map(|cell| cell.map_or(usize::MAX, &mut meet))
            .collect();
        // Those that are not declared get their ranks by value.
        let mut order: Vec<usize> = (declared.unwrap_or(0)..values.len()).collect();
        order.sort_by_key(|index| values.get(*index));
        let mut rank_of: Vec<usize> = (0..values.len()).collect();
        let mut sorted: Vec<Key<'a>> = values.iter().take(declared.unwrap_or(0)).copied().collect();
        for index in order {
            if let Some(rank) = rank_of.get_mut(index) {
                *rank = sorted.len();
            }
            sorted.extend(values.get(index));
        }
        let null = sorted.len();
        for rank in &mut ranks {
            *rank = rank_of.get(*rank).copied().unwrap_or(null);
        }
        Ok(KeyValues {
            column_type,
            values: sorted,
            declared,
            ranks,
        })
    }

    fn rank(&self, group: &Group) -> usize {
        self.ranks.get(group.place).copied().unwrap_or(self.values.len())
    }
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

/// The keys of every row; NULL where a column is not of its key's type, which [`Groups::new`] refuses.
pub(crate) fn key_values<'a>(
    columns: &'a [ArrayRef],
    types: &[ColumnType],
    length: usize,
) -> Vec<Vec<Option<Key<'a>>>> {
    let mut rows = vec![Vec::with_capacity(types.len()); length];
    for (column, column_type) in columns.iter().zip(types) {
        let cells = cells(column, *column_type).unwrap_or_default();
        for (i, row) in rows.iter_mut().enumerate() {
            row.push(cells.get(i).copied().flatten());
        }
    }
    rows
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
        ColumnType::Bool => column
            .as_boolean_opt()?
            .iter()
            .map(|cell| cell.map(|truth| Key::Number(i128::from(truth))))
            .collect(),
        ColumnType::Text => column
            .as_string_opt::<i32>()?
            .iter()
            .map(|cell| cell.map(Key::Text))
            .collect(),
    })
}

fn numbers<T>(column: &ArrayRef) -> Option<Vec<Option<Key<'_>>>>
where
    T: ArrowPrimitiveType,
    i128: From<T::Native>,
{
    let cells = column.as_primitive_opt::<T>()?.iter();
    Some(
        cells
            .map(|cell| cell.map(|number| Key::Number(i128::from(number))))
            .collect(),
    )
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
        ColumnType::Bool => Arc::new(
            values
                .map(|key| number(key).map(|number| number != 0))
                .collect::<BooleanArray>(),
        ),
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
