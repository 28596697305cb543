//! Small worlds of people and rows, their base cells by brute force, and the questions that are asked of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array,
};
use arrow_schema::{DataType, Field};
use output_checker::lineage::{ArgumentLineage, KeyLineage, Lineage, TableLineage};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tre_core::evidence::{BaseCells, CellLayout, ValueKind};
use tre_core::status::{Status, StatusCode};
use tre_core::types::{ColumnType, Value};

use super::sets;
use crate::people::*;

/// A group's keys: text, then an integer, as far as the question has them.
pub(crate) type Keys = Vec<Option<String>>;

/// One row of one person. `arguments` are unscaled numbers, or for text just something that is there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub unit: u32,
    pub keys: Keys,
    pub arguments: Vec<Option<i128>>,
}

/// What is asked: the layout and which keys declare their domain.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub lineage: Lineage,
}

/// A treated value as an analyst has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    pub value: Option<i128>,
    pub status: StatusCode,
}

impl Shown {
    pub(crate) fn is_suppressed(self) -> bool {
        self.status.status() == Status::Suppressed
    }
}

/// Values of text keys that exist in a world; the first three make the declared domain, in another order.
const TEXTS: [&str; 4] = ["a", "b", "c", "zz"];
const DECLARED_TEXTS: [&str; 3] = ["c", "a", "b"];
const DECLARED_INTS: [i64; 2] = [7, -1];

impl Question {
    pub(crate) fn new(keys: Vec<KeyLineage>, arguments: Vec<ColumnType>, values: Vec<ValueKind>) -> Self {
        let layout = CellLayout {
            keys: keys.iter().map(|key| key.column_type).collect(),
            values,
            arguments,
            sketch: None,
            unlike: None,
        };
        let arguments = (0..layout.arguments.len())
            .map(|i| ArgumentLineage {
                quantity: format!("visit.x{i}"),
                measure: true,
                conditional: false,
                product: false,
            })
            .collect();
        let tables = vec![TableLineage {
            version: "liver@aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            table: "visit".parse().unwrap(),
            public: false,
            filtered: false,
        }];
        let population = "clinic".parse().unwrap();
        Question {
            lineage: Lineage {
                layout,
                keys,
                arguments,
                population,
                tables,
                selected_by: vec![],
            },
        }
    }

    /// A random question: up to two keys, declared or not; some of all kinds of values over up to three arguments.
    pub(crate) fn random(rng: &mut ChaCha8Rng) -> Self {
        let width = rng.random_range(0..=2);
        let keys = [text_key(rng.random_bool(0.6)), int_key(rng.random_bool(0.6))];
        let keys = keys.into_iter().take(width).collect();
        let types = [
            ColumnType::Int,
            ColumnType::Decimal { scale: 1 },
            ColumnType::Text,
        ];
        let mut arguments: Vec<ColumnType> = Vec::new();
        let mut values = Vec::new();
        let mut argument_of = [None; 3];
        let count = rng.random_range(1..=4);
        while values.len() < count {
            let which = rng.random_range(0..3);
            values.push(match rng.random_range(0..7) {
                0 => ValueKind::CountRows,
                1 => ValueKind::CountUnits,
                kind => {
                    let argument = *argument_of[which].get_or_insert_with(|| {
                        arguments.push(types[which]);
                        arguments.len() - 1
                    });
                    match kind {
                        2 => ValueKind::CountUnitsOf { argument },
                        3 => ValueKind::Count { argument },
                        _ if which == 2 => ValueKind::Count { argument },
                        4 => ValueKind::Min { argument },
                        5 => ValueKind::Max { argument },
                        _ => ValueKind::Sum { argument },
                    }
                }
            });
        }
        Question::new(keys, arguments, values)
    }

    /// Whether the combination stands in the answer whatever the data are.
    pub(crate) fn declares(&self, keys: &Keys, complete_up_to: usize) -> bool {
        let mut product = 1;
        let mut inside = true;
        for (key, value) in self.lineage.keys.iter().zip(keys) {
            let Some(domain) = &key.domain else { return false };
            product *= domain.len();
            inside &= domain.iter().any(|declared| Some(text_of(declared)) == *value);
        }
        inside && (product <= complete_up_to || keys.is_empty())
    }

    /// One person's rows, at random.
    pub(crate) fn rows_of(&self, unit: u32, rng: &mut ChaCha8Rng) -> Vec<Row> {
        (0..rng.random_range(1..=3))
            .map(|_| Row {
                unit,
                keys: self
                    .lineage
                    .keys
                    .iter()
                    .map(|key| random_key(key.column_type, rng))
                    .collect(),
                arguments: self
                    .lineage
                    .layout
                    .arguments
                    .iter()
                    .map(|_| random_argument(rng))
                    .collect(),
            })
            .collect()
    }

    /// A world of up to 12 people.
    pub(crate) fn random_world(&self, rng: &mut ChaCha8Rng) -> Vec<Row> {
        (1..=rng.random_range(1..=12))
            .flat_map(|unit| self.rows_of(unit, rng))
            .collect()
    }

    /// The base cells of a world, groups in random order.
    pub(crate) fn base_cells(&self, rows: &[Row], rng: &mut ChaCha8Rng) -> BaseCells {
        let mut groups: BTreeMap<Keys, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            groups.entry(row.keys.clone()).or_default().push(row);
        }
        let mut groups: Vec<(Keys, Vec<&Row>)> = groups.into_iter().collect();
        groups.shuffle(rng);
        let layout = &self.lineage.layout;
        let schema = layout.schema().unwrap();
        let columns = schema
            .fields()
            .iter()
            .map(|field| column(field, layout, &groups))
            .collect();
        BaseCells::new(layout.clone(), RecordBatch::try_new(schema, columns).unwrap()).unwrap()
    }
}

pub(crate) fn text_key(declared: bool) -> KeyLineage {
    let domain = DECLARED_TEXTS
        .iter()
        .map(|text| Value::Text((*text).to_owned()))
        .collect();
    KeyLineage {
        name: "place".into(),
        column_type: ColumnType::Text,
        domain: declared.then_some(domain),
        tag: Some("place".into()),
        computed_from: vec![],
    }
}

pub(crate) fn int_key(declared: bool) -> KeyLineage {
    let domain = DECLARED_INTS.iter().map(|number| Value::Int(*number)).collect();
    KeyLineage {
        name: "age".into(),
        column_type: ColumnType::Int,
        domain: declared.then_some(domain),
        tag: None,
        computed_from: vec![],
    }
}

fn random_key(column_type: ColumnType, rng: &mut ChaCha8Rng) -> Option<String> {
    if rng.random_bool(0.1) {
        return None;
    }
    Some(match column_type {
        ColumnType::Text => {
            let most = if rng.random_bool(0.8) { 2 } else { TEXTS.len() };
            TEXTS[rng.random_range(0..most)].to_owned()
        }
        _ => if rng.random_bool(0.8) { "7" } else { "-1" }.to_owned(),
    })
}

fn random_argument(rng: &mut ChaCha8Rng) -> Option<i128> {
    match rng.random_range(0..10) {
        0 | 1 => None,
        2 | 3 => Some(0),
        4..=7 => Some(1000),
        _ => Some(rng.random_range(-3000..12_000)),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        other => panic!("no key of these worlds is {other:?}"),
    }
}

/// One column of base cells by its name, straight from the table in the documentation of the evidence.
fn column(field: &Field, layout: &CellLayout, groups: &[(Keys, Vec<&Row>)]) -> ArrayRef {
    let name = field.name().as_str();
    let number = |text: &str| text.parse::<usize>().unwrap();
    let rows_of = |group: &(Keys, Vec<&Row>)| group.1.iter().map(|row| (*row).clone()).collect::<Vec<Row>>();
    let counts = |count: &dyn Fn(&[Row]) -> usize| -> ArrayRef {
        Arc::new(
            groups
                .iter()
                .map(|group| count(&rows_of(group)) as u64)
                .collect::<UInt64Array>(),
        )
    };
    let decimals = |decimal: &dyn Fn(&[Row]) -> Option<i128>| -> ArrayRef {
        let values = groups
            .iter()
            .map(|group| decimal(&rows_of(group)))
            .collect::<Decimal128Array>();
        Arc::new(values.with_data_type(field.data_type().clone()))
    };
    if let Some(i) = name.strip_prefix('k') {
        let keys = groups.iter().map(|(keys, _)| keys[number(i)].clone());
        return match field.data_type() {
            DataType::Utf8 => Arc::new(keys.collect::<StringArray>()),
            _ => Arc::new(
                keys.map(|key| key.map(|text| text.parse::<i64>().unwrap()))
                    .collect::<Int64Array>(),
            ),
        };
    }
    if let Some(i) = name.strip_prefix('v') {
        let longs = |count: &dyn Fn(&[Row]) -> usize| -> ArrayRef {
            Arc::new(
                groups
                    .iter()
                    .map(|group| count(&rows_of(group)) as i64)
                    .collect::<Int64Array>(),
            )
        };
        let extreme = |argument: usize, of: &dyn Fn(&[i128]) -> Option<i128>| -> ArrayRef {
            let values = groups.iter().map(|group| {
                let rows = rows_of(group);
                let values: Vec<i128> = rows.iter().filter_map(|row| row.arguments[argument]).collect();
                of(&values)
            });
            match field.data_type() {
                DataType::Int64 => Arc::new(
                    values
                        .map(|value| value.map(|value| i64::try_from(value).unwrap()))
                        .collect::<Int64Array>(),
                ),
                decimal => Arc::new(
                    values
                        .collect::<Decimal128Array>()
                        .with_data_type(decimal.clone()),
                ),
            }
        };
        return match layout.values[number(i)] {
            ValueKind::CountRows => longs(&|rows| rows.len()),
            ValueKind::CountUnits => longs(&|rows| people(rows, None).len()),
            ValueKind::Count { argument } => {
                longs(&|rows| rows.iter().filter(|r| r.arguments[argument].is_some()).count())
            }
            ValueKind::CountUnitsOf { argument } => longs(&|rows| people(rows, Some(argument)).len()),
            ValueKind::Min { argument } => extreme(argument, &|values| values.iter().min().copied()),
            ValueKind::Max { argument } => extreme(argument, &|values| values.iter().max().copied()),
            ValueKind::Comoment { .. } => panic!("these questions have no co-moments"),
            ValueKind::Sum { argument } => decimals(&|rows| {
                let values: Vec<i128> = rows.iter().filter_map(|row| row.arguments[argument]).collect();
                (!values.is_empty()).then(|| values.iter().sum())
            }),
        };
    }
    if let Some(sets) = sets::column(name, layout, groups) {
        return sets;
    }
    match name {
        "rows" => return counts(&|rows| rows.len()),
        "units" => return counts(&|rows| people(rows, None).len()),
        _ => {}
    }
    if let Some(i) = name.strip_prefix("null_of_a") {
        return counts(&|rows| people_without(rows, None, Some(number(i))).len());
    }
    if let Some((i, j)) = name.strip_prefix('p').and_then(|pair| pair.split_once('_')) {
        return counts(&|rows| people_without(rows, Some(number(i)), Some(number(j))).len());
    }
    if let Some((i, j)) = name.strip_prefix('d').and_then(|pair| pair.split_once('_')) {
        return counts(&|rows| people_differing(rows, number(i), number(j)).len());
    }
    let (argument, what) = name
        .strip_prefix('a')
        .and_then(|rest| rest.split_once('_'))
        .unwrap();
    let argument = number(argument);
    let numeric = layout.arguments[argument].is_numeric();
    let contributions = |rows: &[Row]| {
        let net = net(rows, argument);
        let mut net: Vec<i128> = net.into_values().map(i128::abs).chain([0, 0]).collect();
        net.sort_by(|a, b| b.cmp(a));
        net
    };
    match what {
        "rows" => counts(&|rows| {
            rows.iter()
                .filter(|row| row.arguments[argument].is_some())
                .count()
        }),
        "present" => counts(&|rows| people(rows, Some(argument)).len()),
        "nonzero" if numeric => counts(&|rows| people_not_zero(rows, argument).len()),
        "nonzero" => counts(&|rows| people(rows, Some(argument)).len()),
        "top1" => decimals(&|rows| Some(contributions(rows)[0])),
        "top2" => decimals(&|rows| Some(contributions(rows)[1])),
        "unlike" => counts(&|rows| {
            let people = people_unlike(rows, argument);
            people.min(layout.unlike.unwrap() as usize)
        }),
        "min" => decimals(&|rows| rows.iter().filter_map(|row| row.arguments[argument]).min()),
        "max" => decimals(&|rows| rows.iter().filter_map(|row| row.arguments[argument]).max()),
        "min_units" => counts(&|rows| people_with(rows, argument, |values| values.iter().min().copied())),
        "max_units" => counts(&|rows| people_with(rows, argument, |values| values.iter().max().copied())),
        other => panic!("unknown evidence {other}"),
    }
}

/// A treated table as a list of rows in its order.
pub(crate) fn table(batch: &RecordBatch, question: &Question) -> Vec<(Keys, Vec<Shown>)> {
    let layout = &question.lineage.layout;
    (0..batch.num_rows())
        .map(|row| {
            let keys = (0..layout.keys.len()).map(|i| {
                let column = batch.column_by_name(&format!("k{i}")).unwrap();
                column
                    .is_valid(row)
                    .then(|| match column.as_any().downcast_ref::<StringArray>() {
                        Some(texts) => texts.value(row).to_owned(),
                        None => column
                            .as_any()
                            .downcast_ref::<Int64Array>()
                            .unwrap()
                            .value(row)
                            .to_string(),
                    })
            });
            let values = (0..layout.values.len()).map(|i| {
                let column = batch.column_by_name(&format!("v{i}")).unwrap();
                let value =
                    column
                        .is_valid(row)
                        .then(|| match column.as_any().downcast_ref::<Int64Array>() {
                            Some(counts) => i128::from(counts.value(row)),
                            None => column
                                .as_any()
                                .downcast_ref::<Decimal128Array>()
                                .unwrap()
                                .value(row),
                        });
                let statuses = batch.column_by_name(&format!("s{i}")).unwrap();
                let code = statuses.as_any().downcast_ref::<Int32Array>().unwrap().value(row);
                Shown {
                    value,
                    status: StatusCode::from_i32(code).unwrap(),
                }
            });
            (keys.collect(), values.collect())
        })
        .collect()
}
