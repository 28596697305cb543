//! Whether the engine's cells are brute force's: the same values in the plan, the same rows in the batch.

use arrow::array::RecordBatch;
use tre_core::evidence::ValueKind;

use super::grammar::{Call, Query};
use super::oracle::text_at;

/// What the cells of a query hold, each once; arguments are numbered in the order in which its text names them.
pub(super) fn values_of(query: &Query) -> Vec<ValueKind> {
    let mut values = vec![];
    for (i, aggregate) in query.aggregates.iter().enumerate() {
        let kinds = match (aggregate.call, query.argument_of(i)) {
            (Call::Count, None) => vec![ValueKind::CountRows],
            (Call::Units, None) => vec![ValueKind::CountUnits],
            (Call::Sum, Some(argument)) => vec![ValueKind::Sum { argument }],
            (Call::Mean, Some(argument)) => vec![ValueKind::Sum { argument }, ValueKind::Count { argument }],
            (_, Some(argument)) => vec![ValueKind::Count { argument }],
            (_, None) => vec![],
        };
        for kind in kinds {
            if !values.contains(&kind) {
                values.push(kind);
            }
        }
    }
    values
}

/// The first row that two batches of one schema do not share, in any order of rows.
pub(super) fn differing(expected: &RecordBatch, found: &RecordBatch) -> Option<String> {
    if expected.schema() != found.schema() {
        return Some(format!("{:?} and {:?}", expected.schema(), found.schema()));
    }
    let [expected, found] = [expected, found].map(|batch| {
        let mut rows: Vec<Vec<(String, Option<String>)>> = (0..batch.num_rows())
            .map(|row| {
                let schema = batch.schema();
                let cells = batch.columns().iter().zip(schema.fields());
                cells
                    .map(|(column, field)| (field.name().clone(), text_at(column, row)))
                    .collect()
            })
            .collect();
        rows.sort();
        rows
    });
    if expected == found {
        return None;
    }
    let apart = expected.iter().zip(&found).find(|(a, b)| a != b);
    let apart = apart.map(|(a, b)| {
        a.iter()
            .zip(b)
            .filter(|(a, b)| a != b)
            .map(|(a, b)| format!("{a:?} is told as {b:?}"))
            .collect::<Vec<_>>()
    });
    Some(format!(
        "{} groups, {} told: {apart:?}",
        expected.len(),
        found.len()
    ))
}
