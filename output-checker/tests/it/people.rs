//! Who stands behind a value, by brute force over the rows of a world.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::Row;

/// People with a row that counts: `None` is the row itself.
pub(crate) fn people<'a>(rows: impl IntoIterator<Item = &'a Row>, argument: Option<usize>) -> BTreeSet<u32> {
    rows.into_iter()
        .filter(|row| counts(row, argument))
        .map(|row| row.unit)
        .collect()
}

/// People with a row that `a` counts and `b` does not.
pub(crate) fn people_without<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    a: Option<usize>,
    b: Option<usize>,
) -> BTreeSet<u32> {
    rows.into_iter()
        .filter(|row| counts(row, a) && !counts(row, b))
        .map(|row| row.unit)
        .collect()
}

/// People whose values do not add up to zero.
pub(crate) fn people_not_zero<'a>(rows: impl IntoIterator<Item = &'a Row>, argument: usize) -> BTreeSet<u32> {
    let rows: Vec<Row> = rows.into_iter().cloned().collect();
    net(&rows, argument)
        .into_iter()
        .filter(|(_, net)| *net != 0)
        .map(|(unit, _)| unit)
        .collect()
}

/// What each person's values of an argument add up to.
pub(crate) fn net(rows: &[Row], argument: usize) -> BTreeMap<u32, i128> {
    let mut net: BTreeMap<u32, i128> = BTreeMap::new();
    for row in rows {
        *net.entry(row.unit).or_default() += row.arguments[argument].unwrap_or_default();
    }
    net
}

/// People whose net contributions to two arguments differ.
pub(crate) fn people_differing(rows: &[Row], a: usize, b: usize) -> BTreeSet<u32> {
    let (a, b) = (net(rows, a), net(rows, b));
    a.into_iter()
        .filter(|(unit, net)| b[unit] != *net)
        .map(|(unit, _)| unit)
        .collect()
}

/// People with a value whose net contribution is not the most frequent one.
pub(crate) fn people_unlike(rows: &[Row], argument: usize) -> usize {
    let mut frequencies: BTreeMap<i128, usize> = BTreeMap::new();
    let present = people(rows, Some(argument));
    for (unit, net) in net(rows, argument) {
        if present.contains(&unit) {
            *frequencies.entry(net).or_default() += 1;
        }
    }
    present.len() - frequencies.values().max().copied().unwrap_or(0)
}

/// How many people have a row of the one value that `of` picks.
pub(crate) fn people_with(rows: &[Row], argument: usize, of: impl Fn(&[i128]) -> Option<i128>) -> usize {
    let values: Vec<i128> = rows.iter().filter_map(|row| row.arguments[argument]).collect();
    let Some(value) = of(&values) else { return 0 };
    let with = rows.iter().filter(|row| row.arguments[argument] == Some(value));
    with.map(|row| row.unit).collect::<BTreeSet<u32>>().len()
}

pub(crate) fn counts(row: &Row, argument: Option<usize>) -> bool {
    argument.is_none_or(|argument| row.arguments[argument].is_some())
}
