//! Cells do not depend on how people are cut into ranges, how rows come in batches, or in which order partial results are
//! added up.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema, UInt64Type};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use tre_core::evidence::{CellLayout, ValueKind};
use tre_core::types::{ColumnType, DECIMAL_PRECISION};

use super::{Cells, EvidenceError, Shape};

const PEOPLE: u32 = 40;
const RANGES: [u32; 5] = [1, 2, 3, 7, 16];
const BATCHES: [usize; 4] = [1, 2, 3, 8192];

/// A row: unit, group, an integer, money.
#[derive(Debug, Clone, Copy)]
struct Row {
    unit: u32,
    group: Option<i64>,
    days: Option<i64>,
    cost: Option<i128>,
}

fn layout() -> CellLayout {
    CellLayout {
        keys: vec![ColumnType::Int],
        values: vec![
            ValueKind::CountRows,
            ValueKind::Sum { argument: 0 },
            ValueKind::Min { argument: 0 },
            ValueKind::Sum { argument: 1 },
            ValueKind::Max { argument: 2 },
        ],
        // The same integer twice, once where the money is not NULL: two sums over nearly the same people.
        arguments: vec![ColumnType::Int, ColumnType::Decimal { scale: 2 }, ColumnType::Int],
        sketch: None,
        unlike: None,
    }
}

fn rows(rng: &mut ChaCha8Rng) -> Vec<Row> {
    let mut rows = vec![];
    for unit in 0..PEOPLE {
        for _ in 0..rng.random_range(0..5) {
            rows.push(Row {
                unit,
                group: rng.random_bool(0.9).then(|| rng.random_range(0..4)),
                days: rng.random_bool(0.8).then(|| rng.random_range(-2..3)),
                cost: rng.random_bool(0.7).then(|| rng.random_range(-200..300)),
            });
        }
    }
    rows
}

fn arguments(row: &Row) -> [Option<i128>; 3] {
    let days = row.days.map(i128::from);
    [days, row.cost, days.filter(|_| row.cost.is_some())]
}

fn batch(rows: &[Row]) -> RecordBatch {
    let money = DataType::Decimal128(DECIMAL_PRECISION, 2);
    let schema = Schema::new(vec![
        Field::new("u", DataType::UInt32, false),
        Field::new("c0", DataType::Int64, true),
        Field::new("c1", DataType::Int64, true),
        Field::new("c2", money.clone(), true),
        Field::new("c3", DataType::Int64, true),
    ]);
    let long = |at: usize| -> Int64Array {
        rows.iter()
            .map(|row| arguments(row)[at].map(|value| value as i64))
            .collect()
    };
    let cost: Decimal128Array = rows.iter().map(|row| row.cost).collect();
    RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(rows.iter().map(|row| Some(row.unit)).collect::<UInt32Array>()),
            Arc::new(rows.iter().map(|row| row.group).collect::<Int64Array>()),
            Arc::new(long(0)),
            Arc::new(cost.with_data_type(money)),
            Arc::new(long(2)),
        ],
    )
    .unwrap()
}

/// The cells of rows whose people are cut into ranges, each range in batches.
fn cells(
    rows: &[Row],
    ranges: u32,
    length: usize,
    rng: &mut ChaCha8Rng,
) -> Result<RecordBatch, EvidenceError> {
    let shape = Arc::new(Shape::new(&layout(), None)?);
    let mut partials = vec![];
    for range in 0..ranges {
        let of_range: Vec<Row> = rows
            .iter()
            .filter(|row| row.unit * ranges / PEOPLE == range)
            .copied()
            .collect();
        let mut partial = Cells::new(Arc::clone(&shape))?;
        for rows in of_range.chunks(length) {
            partial.update(&batch(rows))?;
        }
        partials.push(partial);
    }
    // Threads end in any order.
    partials.shuffle(rng);
    let mut total = Cells::new(shape)?;
    for partial in partials {
        total.merge(partial)?;
    }
    total.finish()
}

/// Every column but the key by brute force, as text, by group.
fn brute_force(rows: &[Row]) -> BTreeMap<Option<i64>, Vec<(String, String)>> {
    let mut groups: BTreeMap<Option<i64>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(row.group).or_default().push(row);
    }
    let of_group = |rows: Vec<&Row>| {
        let people = |has: &dyn Fn(&Row) -> bool| {
            let units: BTreeSet<u32> = rows.iter().filter(|row| has(row)).map(|row| row.unit).collect();
            units.len()
        };
        let nets = |value: &dyn Fn(&Row) -> i128| {
            let mut nets: BTreeMap<u32, i128> = BTreeMap::new();
            for row in &rows {
                *nets.entry(row.unit).or_default() += value(row);
            }
            nets
        };
        let mut found: Vec<(String, String)> = vec![
            ("v0".into(), rows.len().to_string()),
            ("rows".into(), rows.len().to_string()),
            ("units".into(), people(&|_| true).to_string()),
        ];
        let mut add = |name: String, value: Option<i128>| {
            found.push((name, value.map_or("NULL".to_owned(), |value| value.to_string())));
        };
        for a in 0..3 {
            let values: Vec<i128> = rows.iter().filter_map(|row| arguments(row)[a]).collect();
            let (min, max) = (values.iter().min().copied(), values.iter().max().copied());
            let sum = values.iter().copied().reduce(|a, b| a + b);
            match a {
                0 => {
                    add("v1".into(), sum);
                    add("v2".into(), min);
                }
                1 => add("v3".into(), sum),
                _ => add("v4".into(), max),
            }
            let net = nets(&|row| arguments(row)[a].unwrap_or(0));
            let mut sizes: Vec<i128> = net.values().map(|net| net.abs()).collect();
            sizes.sort_unstable();
            sizes.reverse();
            let top = |place: usize| Some(sizes.get(place).copied().unwrap_or(0));
            let count = |n: usize| Some(n as i128);
            add(format!("a{a}_rows"), count(values.len()));
            add(
                format!("a{a}_present"),
                count(people(&|row| arguments(row)[a].is_some())),
            );
            add(
                format!("a{a}_nonzero"),
                count(net.values().filter(|net| **net != 0).count()),
            );
            add(format!("a{a}_top1"), top(0));
            add(format!("a{a}_top2"), top(1));
            add(format!("a{a}_min"), min);
            add(format!("a{a}_max"), max);
            if a != 1 {
                let sharing = |of: Option<i128>| {
                    let has = |row: &Row| of.is_some() && arguments(row)[a] == of;
                    count(people(&has))
                };
                add(format!("a{a}_min_units"), sharing(min));
                add(format!("a{a}_max_units"), sharing(max));
            }
            add(
                format!("null_of_a{a}"),
                count(people(&|row| arguments(row)[a].is_none())),
            );
            for b in (0..3).filter(|b| *b != a) {
                let has = |row: &Row| arguments(row)[a].is_some() && arguments(row)[b].is_none();
                add(format!("p{a}_{b}"), count(people(&has)));
            }
        }
        let differ = nets(&|row| arguments(row)[0].unwrap_or(0) - arguments(row)[2].unwrap_or(0));
        let differ = differ.values().filter(|net| **net != 0).count();
        add("d0_2".into(), Some(differ as i128));
        found.sort();
        found
    };
    groups
        .into_iter()
        .map(|(key, rows)| (key, of_group(rows)))
        .collect()
}

fn told(cells: &RecordBatch) -> BTreeMap<Option<i64>, Vec<(String, String)>> {
    let keys = cells.column(0).as_primitive::<Int64Type>();
    let schema = cells.schema();
    let of_row = |row: usize| {
        let columns = schema.fields().iter().zip(cells.columns()).skip(1);
        let mut found: Vec<(String, String)> = columns
            .map(|(field, column)| {
                let number = if column.is_null(row) {
                    "NULL".to_owned()
                } else if let Some(counts) = column.as_primitive_opt::<UInt64Type>() {
                    counts.value(row).to_string()
                } else if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
                    integers.value(row).to_string()
                } else {
                    column.as_primitive::<Decimal128Type>().value(row).to_string()
                };
                (field.name().clone(), number)
            })
            .collect();
        found.sort();
        (keys.is_valid(row).then(|| keys.value(row)), found)
    };
    (0..cells.num_rows()).map(of_row).collect()
}

#[test]
fn cells_are_brute_force_whatever_the_ranges_and_batches() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for _ in 0..20 {
        let rows = rows(&mut rng);
        let expected = brute_force(&rows);
        for ranges in RANGES {
            for length in BATCHES {
                let found = cells(&rows, ranges, length, &mut rng).unwrap();
                assert_eq!(told(&found), expected, "{ranges} ranges, batches of {length}");
            }
        }
    }
}

#[test]
fn a_person_whose_rows_come_apart_is_noticed_at_every_length_of_batches() {
    let row = |unit| Row {
        unit,
        group: Some(1),
        days: Some(1),
        cost: None,
    };
    let rows = [row(3), row(4), row(3)];
    for length in BATCHES {
        let found = cells(&rows, 1, length, &mut ChaCha8Rng::seed_from_u64(1));
        assert!(matches!(found, Err(EvidenceError::Order)), "batches of {length}");
    }
}

#[test]
fn nothing_of_a_date_cancels_out() {
    let layout = CellLayout {
        keys: vec![],
        values: vec![ValueKind::Max { argument: 0 }],
        arguments: vec![ColumnType::Date],
        sketch: None,
        unlike: None,
    };
    let schema = Schema::new(vec![
        Field::new("u", DataType::UInt32, false),
        Field::new("c0", DataType::Date32, true),
    ]);
    // The first day of the epoch, and two days that add up to it.
    let days = Date32Array::from(vec![0, -1, 1]);
    let units = UInt32Array::from(vec![1, 2, 2]);
    let rows = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(units), Arc::new(days)]).unwrap();
    let mut cells = Cells::new(Arc::new(Shape::new(&layout, None).unwrap())).unwrap();
    cells.update(&rows).unwrap();
    let told = cells.finish().unwrap();
    let count = |name: &str| {
        told.column_by_name(name)
            .unwrap()
            .as_primitive::<UInt64Type>()
            .value(0)
    };
    assert_eq!((count("a0_present"), count("a0_nonzero")), (2, 2));
}
