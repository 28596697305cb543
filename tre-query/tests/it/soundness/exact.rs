//! Whether the engine's cells are brute force's: the same values in the plan, the same rows in the batch.

use arrow::array::RecordBatch;
use tre_core::evidence::{CellLayout, ValueKind};

use super::grammar::{Call, Front};
use super::oracle::text_at;

/// Whether an aggregation of the plan computes what the query asks for, with the arguments of the listing in their
/// order. Where conditions turn out to be the same or to hold always, the plan may have fewer.
pub(super) fn is_of(front: &Front, layout: &CellLayout) -> bool {
    let expected = front.parts.iter().map(|part| match front.read(part) {
        (Call::Count, None) => Some(ValueKind::CountRows),
        (Call::Units, None) => Some(ValueKind::CountUnits),
        (Call::Count, Some(argument)) => Some(ValueKind::Count { argument }),
        (Call::Units, Some(argument)) => Some(ValueKind::CountUnitsOf { argument }),
        (Call::Sum, Some(argument)) => Some(ValueKind::Sum { argument }),
        (Call::Min, Some(argument)) => Some(ValueKind::Min { argument }),
        (Call::Max, Some(argument)) => Some(ValueKind::Max { argument }),
        (Call::Sum | Call::Min | Call::Max, None) => None,
    });
    let expected: Vec<_> = expected.collect();
    front.domains.len() == layout.keys.len()
        && front.arguments().len() == layout.arguments.len()
        && expected.len() == layout.values.len()
        && layout.values.iter().all(|kind| expected.contains(&Some(*kind)))
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
