//! How many people differ from the most frequent contribution equals brute force, for every group and argument and however
//! many are told apart.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use tre_core::evidence::BaseCells;
use tre_core::types::Value;
use tre_query::desk::DeskTable;

use crate::cells::frontier;
use crate::fixture::{clinic, engine};

fn number(value: &Value) -> Option<i128> {
    if let Value::Int(number) = value {
        Some(i128::from(*number))
    } else if let Value::Decimal { unscaled, .. } = value {
        Some(*unscaled)
    } else {
        None
    }
}

#[tokio::test]
async fn people_unlike_most_equal_brute_force_for_every_group_and_argument() {
    let tables = clinic();
    let (grant, engine) = engine(&tables);
    let sql = "SELECT icd, count(*), sum(cost), sum(days) FROM visit GROUP BY icd";
    let frontier = frontier(DeskTable::of_grant(&grant), sql).await;
    let (mut exact, mut capped) = (0, 0);
    for most in [1, 2, 3, 10, 1000] {
        let (lineage, batch) = engine.run_with(&frontier, None, Some(most)).unwrap();
        let cells = BaseCells::new(lineage.layout, batch).unwrap();
        for row in 0..cells.len() {
            let icd = cells.keys()[0].as_string::<i32>();
            let key = icd.is_valid(row).then(|| icd.value(row));
            // Positions in the rows of the fixture.
            for (argument, position) in [(0, 1), (1, 2)] {
                let mut net: BTreeMap<u32, i128> = BTreeMap::new();
                for (unit, values) in &tables[0].rows {
                    let own = if let Value::Text(icd) = &values[0] {
                        Some(icd.as_str())
                    } else {
                        None
                    };
                    if let (true, Some(value)) = (own == key, number(&values[position])) {
                        *net.entry(*unit).or_default() += value;
                    }
                }
                let mut frequencies: BTreeMap<i128, u64> = BTreeMap::new();
                for contribution in net.values() {
                    *frequencies.entry(*contribution).or_default() += 1;
                }
                let largest = frequencies.values().max().copied().unwrap_or(0);
                let unlike = net.len() as u64 - largest;
                let expected = unlike.min(u64::from(most));
                assert_eq!(
                    cells.unlike(argument, row),
                    Some(expected),
                    "{key:?}, argument {argument}, up to {most}"
                );
                exact += u32::from(unlike < u64::from(most));
                capped += u32::from(unlike > u64::from(most));
            }
        }
    }
    assert!(exact > 3 && capped > 3, "{exact} {capped}");
}

#[tokio::test]
async fn where_values_are_not_told_apart_the_other_evidence_is_the_same() {
    let tables = clinic();
    let (grant, engine) = engine(&tables);
    let sql = "SELECT count(*), sum(cost) FROM visit";
    let frontier = frontier(DeskTable::of_grant(&grant), sql).await;
    let (plain_lineage, plain) = engine.run(&frontier).unwrap();
    let (lineage, with) = engine.run_with(&frontier, None, Some(10)).unwrap();
    assert_ne!(plain_lineage, lineage);
    for (field, column) in plain.schema().fields().iter().zip(plain.columns()) {
        assert_eq!(with.column_by_name(field.name()), Some(column));
    }
    assert_eq!(with.num_columns(), plain.num_columns() + 1);
    let cells = BaseCells::new(plain_lineage.layout, plain).unwrap();
    assert_eq!(cells.unlike(0, 0), None);
}
