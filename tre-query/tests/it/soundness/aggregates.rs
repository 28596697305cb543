//! Random aggregates, each with the base values that it is made of: this test's own statement of the normal form of what
//! is summed.
//!
//! `sum(CASE WHEN p THEN x ELSE 1 END)` is the sum of x where p is true, the number of the other rows, and the number of
//! rows that have a value at all. The order is that in which the desk numbers arguments: an aggregate's terms before the
//! count of its rows, but for a mean.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tre_core::types::ColumnType;

use super::exprs::{Field, Flag, Sql, condition};
use super::grammar::{Call, Feature, Part};
use super::sources::Source;

type Rng8 = ChaCha8Rng;

/// An aggregate of the query.
#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    /// As the analyst writes it.
    pub(super) written: String,
    /// What it is computed from; empty for one that is always refused.
    pub(super) parts: Vec<Part>,
    pub(super) value: Total,
}

/// How a value is computed from its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Total {
    /// It is the only part, or a mean.
    Plain,
    /// The first parts times these numbers, in the smallest unit of the result, added up; NULL where the part at this
    /// place is zero.
    Terms(Vec<i128>, Option<usize>),
}

fn of(written: impl Into<String>, parts: impl Into<Vec<Part>>) -> Aggregate {
    Aggregate {
        written: written.into(),
        parts: parts.into(),
        value: Total::Plain,
    }
}

impl Aggregate {
    fn adding(mut self, factors: impl Into<Vec<i128>>, rows: Option<usize>) -> Aggregate {
        self.value = Total::Terms(factors.into(), rows);
        self
    }
}

/// One, in the smallest unit of a column.
fn one(field: &Field) -> i128 {
    match field.ty {
        ColumnType::Decimal { scale } => 10_i128.pow(u32::from(scale)),
        ColumnType::Int | ColumnType::Bool | ColumnType::Text | ColumnType::Date | ColumnType::Timestamp => 1,
    }
}

/// A value of rows, or of the row itself, where a condition holds.
fn only(value: Option<&str>, p: &str) -> String {
    format!("CASE WHEN {p} THEN {} END", value.unwrap_or("true"))
}

/// The number of rows where a condition holds.
fn rows(p: &str) -> Part {
    (Call::Count, Some(only(None, p)))
}

fn sum(x: impl Into<String>) -> Part {
    (Call::Sum, Some(x.into()))
}

/// Draws an aggregate over the rows of a source.
pub(super) fn random(
    source: &Source,
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Aggregate {
    let person = source.people.choose(rng).unwrap();
    let bare: Vec<&Field> = source.fields.iter().filter(|field| field.bare).collect();
    let measures: Vec<&Field> = bare.iter().filter(|field| field.measure).copied().collect();
    // One in twenty-five asks for what has no evidence, as people do.
    if rng.random_bool(0.04) {
        let any = &source.fields.choose(rng).unwrap().name;
        return match rng.random_range(0..3) {
            0 => of(format!("count(distinct {any})"), []),
            1 => of(format!("stddev({any})"), []),
            _ => of(format!("sum({any} % 7)"), []),
        };
    }
    if let Some(perhaps) = source.perhaps.choose(rng).filter(|_| rng.random_bool(0.25)) {
        let there = only(None, &format!("{perhaps}.pid IS NOT NULL"));
        return match rng.random_bool(0.5) {
            true => of(format!("count({perhaps}.pid)"), [(Call::Count, Some(there))]),
            false => of(
                format!("count(distinct {perhaps}.pid)"),
                [(Call::Units, Some(there))],
            ),
        };
    }
    let flags: Vec<&Field> = source
        .fields
        .iter()
        .filter(|field| field.flag != Flag::No)
        .collect();
    if let Some(flag) = flags.choose(rng).filter(|_| rng.random_bool(0.4)) {
        return flagged(flag, rng);
    }
    if features.contains(&Feature::Case) && rng.random_bool(0.8) {
        used.insert(Feature::Case);
        return case(source, person, measures.choose(rng).copied(), rng);
    }
    if features.contains(&Feature::Arithmetic)
        && rng.random_bool(0.8)
        && let Some(aggregate) = arithmetic(&measures, rng)
    {
        used.insert(Feature::Arithmetic);
        return aggregate;
    }
    let plain = plain(source, person, &bare, &measures, features, used, rng);
    if features.contains(&Feature::Filter) && rng.random_bool(0.8) {
        used.insert(Feature::Filter);
        return filtered(plain, &condition(&source.fields, 1, rng));
    }
    plain
}

/// An aggregate of a column as it is, or of the row.
fn plain(
    source: &Source,
    person: &str,
    bare: &[&Field],
    measures: &[&Field],
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Aggregate {
    let ordered: Vec<&Field> = bare
        .iter()
        .filter(|field| !matches!(field.ty, ColumnType::Text | ColumnType::Bool))
        .copied()
        .collect();
    if features.contains(&Feature::Extremes)
        && rng.random_bool(0.7)
        && let Some(field) = ordered.choose(rng)
    {
        used.insert(Feature::Extremes);
        let (call, word) = [(Call::Min, "min"), (Call::Max, "max")][rng.random_range(0..2)];
        return of(
            format!("{word}({})", field.name),
            [(call, Some(field.name.clone()))],
        );
    }
    match (measures.choose(rng), rng.random_range(0..9)) {
        (Some(measure), 0..=2) => of(format!("sum({})", measure.name), [sum(measure.name.clone())]),
        (Some(measure), 3) => {
            let count = (Call::Count, Some(measure.name.clone()));
            of(
                format!("avg({})", measure.name),
                [count, sum(measure.name.clone())],
            )
        }
        (_, 4 | 5) => of(format!("count(distinct {person}.pid)"), [(Call::Units, None)]),
        (_, 6) => match bare.choose(rng) {
            Some(field) => of(
                format!("count({})", field.name),
                [(Call::Count, Some(field.name.clone()))],
            ),
            None => of(format!("count({person}.pid)"), [(Call::Count, None)]),
        },
        (_, n) if n % 4 == 0 => of(format!("count({}.pid)", source.people[0]), [(Call::Count, None)]),
        (_, n) => of(["count(*)", "count(1)"][n % 2], [(Call::Count, None)]),
    }
}

/// The aggregate of the rows where a condition holds.
fn filtered(plain: Aggregate, p: &Sql) -> Aggregate {
    let parts = plain
        .parts
        .into_iter()
        .map(|(call, argument)| (call, Some(only(argument.as_deref(), &p.reference))));
    of(
        format!("{} FILTER (WHERE {})", plain.written, p.written),
        parts.collect::<Vec<_>>(),
    )
}

/// CASE and what is like it.
fn case(source: &Source, person: &str, measure: Option<&Field>, rng: &mut Rng8) -> Aggregate {
    let p = condition(&source.fields, 1, rng);
    let (w, r) = (p.written.as_str(), p.reference.as_str());
    let others = format!("({r}) IS NOT TRUE");
    let Some(measure) = measure.filter(|_| rng.random_bool(0.6)) else {
        let number = rows(r);
        return match rng.random_range(0..6) {
            0 => of(format!("sum(CASE WHEN {w} THEN 1 ELSE 0 END)"), [number]).adding([1], None),
            1 => of(format!("sum(CASE WHEN {w} THEN 1 END)"), [number]).adding([1], Some(0)),
            2 => of(format!("count(CASE WHEN {w} THEN 1 END)"), [number]),
            3 => of(
                format!("avg(CASE WHEN {w} THEN 1 ELSE 0 END)"),
                [(Call::Count, None), number],
            ),
            4 => of(
                format!("sum(CAST(({w}) AS INT))"),
                [number, rows(&format!("({r}) IS NOT NULL"))],
            )
            .adding([1], Some(1)),
            _ => of(
                format!("count(distinct CASE WHEN {w} THEN {person}.pid END)"),
                [(Call::Units, Some(only(None, r)))],
            ),
        };
    };
    let x = measure.name.as_str();
    let part = sum(only(Some(x), r));
    let valued = rows(&format!("(({r}) AND {x} IS NOT NULL) OR {others}"));
    match rng.random_range(0..6) {
        0 => of(format!("sum(CASE WHEN {w} THEN {x} END)"), [part]),
        1 => of(format!("sum(CASE WHEN {w} THEN {x} ELSE 0 END)"), [part, valued]).adding([1], Some(1)),
        2 => of(
            format!("sum(CASE WHEN {w} THEN {x} ELSE 1 END)"),
            [part, rows(&others), valued],
        )
        .adding([1, one(measure)], Some(2)),
        3 => of(
            format!("sum(coalesce({x}, 0))"),
            [
                sum(only(Some(x), &format!("{x} IS NOT NULL"))),
                rows(&format!("{x} IS NOT NULL OR {x} IS NULL")),
            ],
        )
        .adding([1], Some(1)),
        4 => of(format!("sum(nullif({x}, 1))"), [sum(format!("nullif({x}, 1)"))]),
        _ => of(
            format!("max(CASE WHEN {w} THEN {x} END)"),
            [(Call::Max, Some(only(Some(x), r)))],
        ),
    }
}

/// Products of two measures and linear combinations.
fn arithmetic(measures: &[&Field], rng: &mut Rng8) -> Option<Aggregate> {
    let x = measures.choose(rng)?;
    let some = |field: &Field| rows(&format!("{} IS NOT NULL", field.name));
    let alike: Vec<_> = measures
        .iter()
        .filter(|y| y.ty == x.ty && y.name != x.name)
        .collect();
    let name = &x.name;
    Some(match (rng.random_range(0..5), alike.choose(rng)) {
        (0, _) => {
            of(format!("sum(2 * {name} + 1)"), [sum(name.clone()), some(x)]).adding([2, one(x)], Some(1))
        }
        (1, _) => of(format!("sum(-{name})"), [sum(name.clone()), some(x)]).adding([-1], Some(1)),
        (2 | 3, Some(y)) => {
            let (a, b) = (name, &y.name);
            let with = |one: &str, other: &str| sum(only(Some(one), &format!("{other} IS NOT NULL")));
            let both = rows(&format!("{a} IS NOT NULL AND {b} IS NOT NULL"));
            let (op, sign) = [("+", 1), ("-", -1)][rng.random_range(0..2)];
            of(format!("sum({a} {op} {b})"), [with(a, b), with(b, a), both]).adding([1, sign], Some(2))
        }
        _ => of(format!("sum({name} * {name})"), [sum(format!("{name} * {name}"))]),
    })
}

/// A sum or mean of a column of ones and zeros.
fn flagged(flag: &Field, rng: &mut Rng8) -> Aggregate {
    let name = &flag.name;
    let (ones, some) = (rows(&format!("{name} = 1")), rows(&format!("{name} IS NOT NULL")));
    match (flag.flag, rng.random_bool(0.6)) {
        (Flag::Computed | Flag::No, true) => of(format!("sum({name})"), [ones]).adding([1], None),
        (Flag::Computed | Flag::No, false) => of(format!("avg({name})"), [(Call::Count, None), ones]),
        (Flag::Ever, true) => of(format!("sum({name})"), [ones, some]).adding([1], Some(1)),
        (Flag::Ever, false) => of(format!("avg({name})"), [some, ones]),
    }
}
