//! Random small worlds: three tables about at most twelve people, one about nobody, and what they would hold with one
//! person left out or altered.
//!
//! Names and types are always the same, so that expressions can be written over them; which columns declare a domain,
//! the scale of money, the permit's condition and all rows are drawn. Values are few, so that people share cells; some
//! are NULL, zero, negative or equal, some labels are one person's own, and one person may have most of the money.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tre_core::manifest::ColumnMeta;
use tre_core::types::{ColumnType, Value};

use super::policies::{INSURER, PLACE};
use crate::fixture::{Table, column, measure, null, text};

/// Most people of a world.
const PEOPLE: u32 = 12;

/// A world and its neighbours.
pub(super) struct World {
    /// `visit`, `person`, `drug` (private), `icd10` (public).
    pub(super) tables: Vec<Table>,
    /// The permit's condition on `visit`.
    pub(super) row_filter: Option<&'static str>,
    /// Two per person who has a row: without them, and with other values of theirs.
    pub(super) neighbours: Vec<Neighbour>,
}

/// The world with one person left out or altered.
pub(super) struct Neighbour {
    /// The person.
    pub(super) unit: u32,
    /// The same tables with other rows.
    pub(super) tables: Vec<Table>,
}

/// What is drawn once per world.
struct Habits {
    scale: u8,
    /// Who has most of the money, if anybody.
    dominant: Option<u32>,
    /// Whether values repeat more than they vary.
    alike: bool,
}

type Rng8 = ChaCha8Rng;

impl World {
    /// Draws a world with all of its neighbours.
    pub(super) fn random(rng: &mut Rng8) -> World {
        let habits = Habits {
            scale: rng.random_range(0..=3),
            dominant: rng.random_bool(0.4).then(|| rng.random_range(0..PEOPLE)),
            alike: rng.random_bool(0.5),
        };
        let mut tables = specs(&habits, rng);
        let presence = [0.4, 0.8, 1.0, 1.0][rng.random_range(0..4)];
        for unit in (0..PEOPLE)
            .filter(|_| rng.random_bool(presence))
            .collect::<Vec<_>>()
        {
            for table in tables.iter_mut().filter(|table| !table.public) {
                let rows = rows_of(table.name, unit, &habits, rng);
                table.rows.extend(rows);
            }
        }
        let row_filter = rng.random_bool(0.25).then(|| {
            *["days >= 1", "cost IS NOT NULL", "kind = 'A' OR urgent"]
                .choose(rng)
                .unwrap()
        });
        let mut units: Vec<u32> = tables
            .iter()
            .filter(|table| !table.public)
            .flat_map(|table| table.rows.iter().map(|(unit, _)| *unit))
            .collect();
        units.sort_unstable();
        units.dedup();
        let mut neighbours = vec![];
        for unit in units {
            neighbours.push(Neighbour {
                unit,
                tables: without(&tables, unit),
            });
            neighbours.push(Neighbour {
                unit,
                tables: altered(&tables, unit, &habits, rng),
            });
        }
        World {
            tables,
            row_filter,
            neighbours,
        }
    }
}

/// The tables without rows, but for the public one.
fn specs(habits: &Habits, rng: &mut Rng8) -> Vec<Table> {
    let declared = |mut meta: ColumnMeta, values: Vec<Value>, rng: &mut Rng8| {
        meta.domain = rng.random_bool(0.6).then_some(values);
        meta
    };
    let tagged = |meta: ColumnMeta, tag: &str| ColumnMeta {
        tag: Some(tag.to_owned()),
        ..meta
    };
    let texts = |values: &[&str]| values.iter().map(|value| text(value)).collect::<Vec<_>>();
    let mut ward = column("ward", ColumnType::Text);
    ward.entity = Some("ward".parse().unwrap());
    let private = |name, columns| Table {
        name,
        public: false,
        columns,
        rows: vec![],
    };
    let visit = private(
        "visit",
        vec![
            column("icd", ColumnType::Text),
            tagged(
                declared(column("kind", ColumnType::Text), texts(&["B", "A", "C"]), rng),
                INSURER,
            ),
            measure("cost", ColumnType::Decimal { scale: habits.scale }),
            measure("days", ColumnType::Int),
            column("seen", ColumnType::Date),
            column("urgent", ColumnType::Bool),
            ward,
        ],
    );
    let person = private(
        "person",
        vec![
            tagged(
                declared(column("sex", ColumnType::Text), texts(&["F", "M"]), rng),
                PLACE,
            ),
            declared(
                column("age", ColumnType::Int),
                [20, 40, 60].map(Value::Int).to_vec(),
                rng,
            ),
            measure("score", ColumnType::Int),
        ],
    );
    let drug = private(
        "drug",
        vec![
            column("code", ColumnType::Text),
            measure("amount", ColumnType::Int),
        ],
    );
    let chapters = ["circulatory", "endocrine", "endocrine", "respiratory"];
    let codes = ["I10", "E11", "E11", "J45"];
    let icd10 = Table {
        name: "icd10",
        public: true,
        columns: vec![
            column("code", ColumnType::Text),
            column("chapter", ColumnType::Text),
            column("weight", ColumnType::Int),
        ],
        // A code that stands twice multiplies people's rows.
        rows: (0..codes.len())
            .filter(|i| *i != 2 || rng.random_bool(0.5))
            .map(|i| (0, vec![text(codes[i]), text(chapters[i]), Value::Int(i as i64)]))
            .collect(),
    };
    vec![visit, person, drug, icd10]
}

/// One person's rows of a table.
fn rows_of(table: &str, unit: u32, habits: &Habits, rng: &mut Rng8) -> Vec<(u32, Vec<Value>)> {
    let rows = match table {
        "visit" => [0, 1, 2, 2, 3, 4][rng.random_range(0..6)],
        "person" => [0, 1, 1, 1, 1, 1, 1, 2][rng.random_range(0..8)],
        _ => rng.random_range(0..=2),
    };
    (0..rows).map(|_| (unit, row(table, unit, habits, rng))).collect()
}

fn row(table: &str, unit: u32, habits: &Habits, rng: &mut Rng8) -> Vec<Value> {
    match table {
        "visit" => vec![
            label(&["I10", "E11", "J45"], unit, habits, rng),
            choice(&["A", "B", "C"], habits, rng),
            cost(unit, habits, rng),
            number(&[1, 1, 2, 3, 5], unit, habits, rng),
            Value::Date([13_000, 13_031, 13_062, 0][rng.random_range(0..4)]),
            match rng.random_range(0..5) {
                0 => null(ColumnType::Bool),
                n => Value::Bool(n % 2 == 0),
            },
            match rng.random_range(0..4) {
                0 => null(ColumnType::Text),
                n => Value::Int(n),
            },
        ],
        "person" => vec![
            choice(&["F", "M"], habits, rng),
            if rng.random_bool(0.1) {
                null(ColumnType::Int)
            } else {
                Value::Int([20, 40, 60][rng.random_range(0..3)])
            },
            number(&[0, 7, 7, -2], unit, habits, rng),
        ],
        _ => vec![
            label(&["x1", "x2"], unit, habits, rng),
            number(&[10, 20, 30], unit, habits, rng),
        ],
    }
}

/// A common label, none, or one that nobody else has.
fn label(common: &[&str], unit: u32, habits: &Habits, rng: &mut Rng8) -> Value {
    match rng.random_range(0..12) {
        0 => null(ColumnType::Text),
        1 => text(&format!("R{unit}")),
        _ => choice(common, habits, rng),
    }
}

fn choice(values: &[&str], habits: &Habits, rng: &mut Rng8) -> Value {
    if rng.random_bool(0.06) {
        return null(ColumnType::Text);
    }
    let alike = habits.alike && rng.random_bool(0.6);
    text(if alike {
        values[0]
    } else {
        values.choose(rng).unwrap()
    })
}

fn number(values: &[i64], unit: u32, habits: &Habits, rng: &mut Rng8) -> Value {
    match rng.random_range(0..10) {
        0 | 1 => null(ColumnType::Int),
        2 => Value::Int(0),
        3 => Value::Int(-values[0]),
        _ if habits.dominant == Some(unit) => Value::Int(100_000 + rng.random_range(0..50_000)),
        _ if habits.alike => Value::Int(values[0]),
        _ => Value::Int(*values.choose(rng).unwrap()),
    }
}

fn cost(unit: u32, habits: &Habits, rng: &mut Rng8) -> Value {
    let Value::Int(whole) = number(&[1, 25, 25, 104], unit, habits, rng) else {
        return null(ColumnType::Decimal { scale: habits.scale });
    };
    let odd = habits.scale > 0 && rng.random_bool(0.3);
    Value::Decimal {
        unscaled: i128::from(whole) * 10_i128.pow(u32::from(habits.scale)) + i128::from(odd),
        scale: habits.scale,
    }
}

fn without(tables: &[Table], unit: u32) -> Vec<Table> {
    let mut tables = tables.to_vec();
    for table in tables.iter_mut().filter(|table| !table.public) {
        table.rows.retain(|(whose, _)| *whose != unit);
    }
    tables
}

/// All of the person's rows anew, or one of them, or one value.
fn altered(tables: &[Table], unit: u32, habits: &Habits, rng: &mut Rng8) -> Vec<Table> {
    let mut changed = without(tables, unit);
    if rng.random_bool(0.4) {
        for table in changed.iter_mut().filter(|table| !table.public) {
            let rows = rows_of(table.name, unit, habits, rng);
            table.rows.extend(rows);
        }
        return changed;
    }
    changed = tables.to_vec();
    let has_rows = |table: &&mut Table| !table.public && table.rows.iter().any(|(whose, _)| *whose == unit);
    let mut mine: Vec<&mut Table> = changed.iter_mut().filter(has_rows).collect();
    let which = rng.random_range(0..mine.len());
    let table = &mut mine[which];
    let name = table.name;
    let mut rows: Vec<&mut (u32, Vec<Value>)> = table
        .rows
        .iter_mut()
        .filter(|(whose, _)| *whose == unit)
        .collect();
    let which = rng.random_range(0..rows.len());
    let values = &mut rows[which].1;
    let mut new = row(name, unit, habits, rng);
    if rng.random_bool(0.5) {
        *values = new;
    } else {
        let at = rng.random_range(0..new.len());
        values[at] = new.swap_remove(at);
    }
    changed
}
