//! Unit sets, and what every unit gives, equal brute force over the same rows, for every group and argument.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use tre_core::evidence::BaseCells;
use tre_core::sketch::{Distance, Shares, SketchShape, Sketcher, UnitSet};
use tre_core::types::Value;
use tre_query::desk::DeskTable;

use crate::cells::frontier;
use crate::fixture::{Table, clinic, engine};

fn sketcher() -> Sketcher {
    Sketcher::new(&[3; 32], SketchShape::for_minimum(10))
}

fn sketched(units: &BTreeSet<u32>) -> UnitSet {
    let mut set = UnitSet::empty(sketcher().shape());
    units.iter().for_each(|unit| set.add(&sketcher().vector(*unit)));
    set
}

/// What a value adds to the sum of its column; of texts there is none.
fn number(value: &Value) -> i128 {
    match value {
        Value::Decimal { unscaled, .. } => *unscaled,
        Value::Int(number) => i128::from(*number),
        Value::Null(_) | Value::Bool(_) | Value::Text(_) | Value::Date(_) | Value::Timestamp(_) => 0,
    }
}

/// What units give: of the rows of the first table that `counts` takes, how many there are and what they add up to.
fn shares(table: &Table, counts: impl Fn(&[Value]) -> bool, number: impl Fn(&[Value]) -> i128) -> Shares {
    let mut given: BTreeMap<u32, (u64, i128)> = BTreeMap::new();
    for (unit, values) in table.rows.iter().filter(|(_, values)| counts(values)) {
        let (rows, net) = given.entry(*unit).or_default();
        *rows += 1;
        *net += number(values);
    }
    let mut shares = Shares::default();
    for (unit, (rows, net)) in given {
        shares.add(&sketcher().share(unit, rows, net));
    }
    shares
}

#[tokio::test]
async fn unit_sets_equal_brute_force_for_every_group_and_argument() {
    let tables = clinic();
    let (grant, engine) = engine(&tables);
    let sql =
        "SELECT icd, count(*), count(cost), sum(cost), count(facility), sum(days) FROM visit GROUP BY icd";
    let frontier = frontier(DeskTable::of_grant(&grant), sql).await;
    let (lineage, batch) = engine.run_with_sets(&frontier, Some(sketcher())).unwrap();
    let cells = BaseCells::new(lineage.layout, batch).unwrap();
    assert_eq!(cells.len(), 4, "three diagnoses and NULL");
    // Positions in the rows of the fixture: cost is NULL at times, days and facility never.
    let arguments = [
        (None, None),
        (Some(0), Some(1)),
        (Some(1), Some(4)),
        (Some(2), Some(2)),
    ];
    let mut without_value = 0;
    for row in 0..cells.len() {
        let icd = cells.keys()[0].as_string::<i32>();
        let key = icd.is_valid(row).then(|| icd.value(row));
        let of_group = |value: &Value| {
            let icd = if let Value::Text(icd) = value {
                Some(icd.as_str())
            } else {
                None
            };
            icd == key
        };
        for (argument, position) in arguments {
            let has_value = |values: &[Value]| {
                position.is_none_or(|position| !matches!(values[position], Value::Null(_)))
            };
            let rows = tables[0].rows.iter();
            let units: BTreeSet<u32> = rows
                .filter(|(_, values)| of_group(&values[0]) && has_value(values))
                .map(|(unit, _)| *unit)
                .collect();
            let set = cells.unit_sets(argument).unwrap().at(row).unwrap();
            assert_eq!(set, sketched(&units), "{key:?}, argument {argument:?}");
            // Facilities are numbers inside and a text to those who ask: nothing is added up.
            let net = |values: &[Value]| match position {
                None | Some(4) => 0,
                Some(position) => number(&values[position]),
            };
            let counts = |values: &[Value]| of_group(&values[0]) && has_value(values);
            assert_eq!(
                cells.unit_sets(argument).unwrap().shares_at(row).unwrap(),
                shares(&tables[0], counts, net),
                "{key:?}, argument {argument:?}"
            );
            without_value += cells.units(row) - units.len() as u64;
        }
    }
    assert!(without_value > 0, "the fixture has people without a cost");
}

#[tokio::test]
async fn without_a_sketcher_there_are_no_sets_and_the_other_evidence_is_the_same() {
    let tables = clinic();
    let (grant, engine) = engine(&tables);
    let frontier = frontier(
        DeskTable::of_grant(&grant),
        "SELECT count(*), sum(cost) FROM visit",
    )
    .await;
    let (plain_lineage, plain) = engine.run(&frontier).unwrap();
    let (lineage, with_sets) = engine.run_with_sets(&frontier, Some(sketcher())).unwrap();
    assert_eq!(plain.columns(), &with_sets.columns()[..plain.num_columns()]);
    assert_ne!(
        plain_lineage, lineage,
        "a worker that made none cannot pass for one that did"
    );
    let cells = BaseCells::new(plain_lineage.layout, plain).unwrap();
    assert!(cells.unit_sets(None).is_none());
}

#[tokio::test]
async fn a_condition_that_leaves_one_person_out_is_seen_in_the_sets() {
    let tables = clinic();
    let (grant, engine) = engine(&tables);
    let mut sets = Vec::new();
    for sql in [
        "SELECT count(distinct pid) FROM visit",
        "SELECT count(distinct pid) FROM visit WHERE facility <> 'facility-none' OR days > 0",
        "SELECT count(distinct pid) FROM visit WHERE date < date '2006-09-01'",
    ] {
        let frontier = frontier(DeskTable::of_grant(&grant), sql).await;
        let (lineage, batch) = engine.run_with_sets(&frontier, Some(sketcher())).unwrap();
        let cells = BaseCells::new(lineage.layout, batch).unwrap();
        sets.push(cells.unit_sets(None).unwrap().at(0).unwrap());
    }
    assert_eq!(sketcher().distance(&sets[0], &sets[1], 10), Distance::Same);
    let fewer = u32::try_from(sets[0].units() - sets[2].units()).unwrap();
    assert!(fewer > 0, "the condition leaves somebody out");
    assert_eq!(sketcher().distance(&sets[0], &sets[2], 10), Distance::Near(fewer));
}
