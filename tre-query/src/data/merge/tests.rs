//! Merges against a loop over all pairs, with batches and windows of every size.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, UInt32Type};
use datafusion::common::JoinType;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;

use super::{Condition, stream::merged};

/// Unit, a key, and the row's own number.
type Row = (u32, Option<i64>, i64);

/// What comes out: the left row's number, and the right one's where the kind has it.
type Pair = (i64, Option<i64>);

/// Rows of units up to `units`, some with several, some with none, in the order of units.
fn rows(units: u32, step: u64) -> Vec<Row> {
    let mut state = step;
    let mut rows = Vec::new();
    for unit in 0..units {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step);
        for _ in 0..(state >> 33) % 4 {
            let key = (state >> 40) as i64 + rows.len() as i64;
            rows.push((unit, (key % 3 != 0).then_some(key % 2), rows.len() as i64));
        }
    }
    rows
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("u", DataType::UInt32, false),
        Field::new("key", DataType::Int64, true),
        Field::new("n", DataType::Int64, false),
    ]))
}

fn stream(rows: &[Row], batch_rows: usize) -> SendableRecordBatchStream {
    let batches: Vec<_> = rows
        .chunks(batch_rows)
        .map(|rows| {
            let columns: Vec<ArrayRef> = vec![
                Arc::new(rows.iter().map(|row| row.0).collect::<UInt32Array>()),
                Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
                Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
            ];
            Ok(RecordBatch::try_new(schema(), columns).unwrap())
        })
        .collect();
    Box::pin(RecordBatchStreamAdapter::new(
        schema(),
        futures::stream::iter(batches),
    ))
}

fn condition(kind: JoinType, with_key: bool) -> Condition {
    let mut fields: Vec<Field> = schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    if matches!(kind, JoinType::Inner | JoinType::Left) {
        let right = fields.clone().into_iter().map(|field| field.with_nullable(true));
        fields.extend(right);
    }
    let key = || Arc::new(Column::new("key", 1)) as _;
    Condition {
        kind,
        units: (0, 0),
        equalities: if with_key { vec![(key(), key())] } else { vec![] },
        filter: None,
        schema: Arc::new(Schema::new(fields)),
    }
}

fn brute_force(left: &[Row], right: &[Row], kind: JoinType, with_key: bool) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (unit, key, n) in left {
        let partners = right
            .iter()
            .filter(|(of, other, _)| of == unit && (!with_key || (key.is_some() && key == other)));
        let partners: Vec<i64> = partners.map(|partner| partner.2).collect();
        match kind {
            JoinType::Inner => pairs.extend(partners.iter().map(|partner| (*n, Some(*partner)))),
            JoinType::Left if partners.is_empty() => pairs.push((*n, None)),
            JoinType::Left => pairs.extend(partners.iter().map(|partner| (*n, Some(*partner)))),
            JoinType::LeftSemi if !partners.is_empty() => pairs.push((*n, None)),
            JoinType::LeftAnti if partners.is_empty() => pairs.push((*n, None)),
            _ => {}
        }
    }
    pairs
}

async fn merge(
    left: SendableRecordBatchStream,
    right: SendableRecordBatchStream,
    condition: &Condition,
) -> Vec<Pair> {
    let config = SessionConfig::new().with_batch_size(3);
    let context = TaskContext::default().with_session_config(config);
    let batches: Vec<RecordBatch> = merged(left, right, condition, &context)
        .try_collect()
        .await
        .unwrap();
    let mut pairs = Vec::new();
    let mut last = 0;
    for batch in batches {
        let n = |column: usize| {
            batch
                .columns()
                .get(column)
                .map(|column| column.as_primitive::<Int64Type>().clone())
        };
        for row in 0..batch.num_rows() {
            let unit = batch.column(0).as_primitive::<UInt32Type>().value(row);
            assert!(unit >= last, "units stay in order");
            last = unit;
            let right = n(5).and_then(|n| arrow::array::Array::is_valid(&n, row).then(|| n.value(row)));
            pairs.push((n(2).unwrap().value(row), right));
        }
    }
    pairs
}

#[tokio::test]
async fn a_merge_finds_the_pairs_that_a_loop_over_all_finds() {
    let kinds = [
        JoinType::Inner,
        JoinType::Left,
        JoinType::LeftSemi,
        JoinType::LeftAnti,
    ];
    for (units, steps) in [
        (0, (1, 2)),
        (1, (3, 5)),
        (40, (7, 11)),
        (40, (11, 7)),
        (7, (5, 3)),
    ] {
        let (left, right) = (rows(units, steps.0), rows(units, steps.1));
        for (left, right) in [
            (&left, &right),
            (&left, &vec![]),
            (&vec![], &right),
            (&left, &left),
        ] {
            for (kind, with_key) in kinds.iter().flat_map(|kind| [(*kind, false), (*kind, true)]) {
                let expected = brute_force(left, right, kind, with_key);
                for (a, b) in [(1, 1), (1, 100), (2, 3), (3, 2), (100, 1), (100, 100)] {
                    let condition = condition(kind, with_key);
                    let found = merge(stream(left, a), stream(right, b), &condition).await;
                    assert_eq!(found, expected, "{kind}, key: {with_key}, batches of {a} and {b}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_side_out_of_order_fails() {
    let sorted = [(1, None, 0), (2, None, 1)];
    let unsorted = [(2, None, 0), (1, None, 1)];
    for (left, right, batch_rows) in [
        (&sorted, &unsorted, 1),
        (&sorted, &unsorted, 2),
        (&unsorted, &sorted, 1),
        (&unsorted, &sorted, 2),
    ] {
        let condition = condition(JoinType::Inner, false);
        let context = TaskContext::default();
        let joined = merged(
            stream(left, batch_rows),
            stream(right, batch_rows),
            &condition,
            &context,
        );
        let joined: Result<Vec<RecordBatch>, _> = joined.try_collect().await;
        assert!(joined.is_err(), "batches of {batch_rows}");
    }
}
