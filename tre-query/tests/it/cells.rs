//! Values and evidence of base cells equal brute force over the same rows.

use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal128Type, Int64Type};
use arrow::util::display::array_value_to_string;
use output_checker::lineage::lineage;
use tre_core::algebra::Frontier;
use tre_core::evidence::BaseCells;
use tre_core::types::Value;
use tre_query::data::{DataError, Engine};
use tre_query::desk::{Desk, DeskTable};

use crate::fixture::{clinic, engine, opened};

pub(crate) async fn frontier(tables: Vec<DeskTable>, sql: &str) -> Frontier {
    let mut desk = Desk::open(tables).unwrap();
    let planned = desk
        .plan("q", sql, None, true)
        .await
        .unwrap_or_else(|p| panic!("{sql}: {p}"));
    assert_eq!(planned.frontiers.len(), 1, "{sql}");
    planned.frontiers.into_iter().next().unwrap()
}

#[tokio::test]
async fn evidence_equals_brute_force_for_every_group() {
    let tables = clinic();
    let (grant, engine) = engine(&tables);
    let sql = "SELECT icd, count(*), count(distinct pid), count(cost), sum(cost), count(facility), sum(days) \
               FROM visit GROUP BY icd";
    let frontier = frontier(DeskTable::of_grant(&grant), sql).await;
    let (_, batch) = engine.run(&frontier).unwrap();
    let layout = lineage(&frontier, &grant).unwrap().layout;
    let cells = BaseCells::new(layout, batch).unwrap();
    assert_eq!(cells.len(), 4, "three diagnoses and NULL");
    for row in 0..cells.len() {
        let icd = cells.keys()[0].as_string::<i32>();
        let key = icd.is_valid(row).then(|| icd.value(row).to_owned());
        let of_group = |values: &[Value]| match (&values[0], &key) {
            (Value::Text(icd), Some(key)) => icd == key,
            (Value::Null(_), None) => true,
            _ => false,
        };
        let rows: Vec<_> = tables[0]
            .rows
            .iter()
            .filter(|(_, values)| of_group(values))
            .collect();
        let units_with = |test: &dyn Fn(&[Value]) -> bool| -> u64 {
            let mut units: Vec<u32> = rows.iter().filter(|(_, v)| test(v)).map(|(u, _)| *u).collect();
            units.sort_unstable();
            units.dedup();
            units.len() as u64
        };
        let cost = |values: &[Value]| {
            if let Value::Decimal { unscaled, .. } = values[1] {
                Some(unscaled)
            } else {
                None
            }
        };
        assert_eq!(cells.rows(row), rows.len() as u64);
        assert_eq!(cells.units(row), units_with(&|_| true));
        assert_eq!(cells.present(Some(0), row), units_with(&|v| cost(v).is_some()));
        let mut net: HashMap<u32, i128> = HashMap::new();
        for (unit, values) in &rows {
            *net.entry(*unit).or_default() += cost(values).unwrap_or(0);
        }
        let contributors = net.values().filter(|net| **net != 0).count();
        assert_eq!(cells.nonzero(0, row), contributors as u64);
        assert_eq!(
            cells.counted_without(None, Some(0), row),
            units_with(&|v| cost(v).is_none())
        );
        // argument 2 is `days`, never NULL; `days` present and `cost` NULL is `cost` NULL
        assert_eq!(
            cells.counted_without(Some(2), Some(0), row),
            units_with(&|v| cost(v).is_none())
        );
        assert_eq!(cells.counted_without(Some(0), Some(2), row), 0);
        let mut nets: Vec<u128> = (0..12)
            .map(|unit| {
                rows.iter()
                    .filter(|(u, _)| *u == unit)
                    .filter_map(|(_, v)| cost(v))
                    .sum::<i128>()
                    .unsigned_abs()
            })
            .collect();
        nets.sort_unstable();
        assert_eq!(cells.top_two(0, row), Some((nets[11] as i128, nets[10] as i128)));
        let values: Vec<i128> = rows.iter().filter_map(|(_, v)| cost(v)).collect();
        assert_eq!(
            cells.min_max(0, row),
            values.iter().min().copied().zip(values.iter().max().copied())
        );
        let sum = cells.value(3).unwrap().as_primitive::<Decimal128Type>();
        assert_eq!(
            sum.is_valid(row).then(|| sum.value(row)),
            (!values.is_empty()).then(|| values.iter().sum())
        );
        assert_eq!(
            cells.value(0).unwrap().as_primitive::<Int64Type>().value(row),
            rows.len() as i64
        );
    }
}

#[tokio::test]
async fn a_query_without_group_by_has_one_cell_even_without_rows() {
    let (grant, engine) = engine(&clinic());
    let frontier = frontier(
        DeskTable::of_grant(&grant),
        "SELECT count(*), sum(cost) FROM visit WHERE icd = 'none'",
    )
    .await;
    let (_, batch) = engine.run(&frontier).unwrap();
    assert_eq!(batch.num_rows(), 1);
    assert_eq!(
        batch
            .column_by_name("v0")
            .unwrap()
            .as_primitive::<Int64Type>()
            .value(0),
        0
    );
    assert!(batch.column_by_name("v1").unwrap().is_null(0));
}

#[tokio::test]
async fn the_permits_rows_and_columns_hold_whatever_the_query_says() {
    let tables = clinic();
    let full = opened(&tables, |_| {});
    let desk = Desk::open(DeskTable::of_grant(&full.grant)).unwrap();
    let condition = desk
        .lower_filter("days >= 2 AND facility IS NOT NULL", &tables[0].columns)
        .unwrap();
    let narrowed = opened(&tables, |grant| {
        grant.tables[0].row_filter = Some(condition);
        grant.tables[0].columns.retain(|name| name.as_str() == "icd");
    });
    let grant = narrowed.grant.clone();
    let engine = Engine::open(narrowed).unwrap();
    let f = frontier(
        DeskTable::of_grant(&grant),
        "SELECT icd, count(*) FROM visit GROUP BY icd",
    )
    .await;
    let (_, batch) = engine.run(&f).unwrap();
    let seen: i64 = batch
        .column_by_name("v0")
        .unwrap()
        .as_primitive::<Int64Type>()
        .values()
        .iter()
        .sum();
    let expected = tables[0]
        .rows
        .iter()
        .filter(|(_, v)| matches!(v[2], Value::Int(d) if d >= 2))
        .count();
    assert_eq!(seen, expected as i64);
    // A desk that asks for more than the permit is refused by the worker's own lineage.
    let lying = frontier(
        DeskTable::of_grant(&full.grant),
        "SELECT days, count(*) FROM visit GROUP BY days",
    )
    .await;
    assert!(
        matches!(engine.run(&lying), Err(DataError::Refused(problem)) if problem.code.id == "TRE-SQL-003")
    );
}

#[tokio::test]
async fn entities_are_shown_as_the_projects_own_pseudonyms() {
    let tables = clinic();
    let mut seen = vec![];
    for key in [[1; 32], [2; 32]] {
        let mut opened = opened(&tables, |_| {});
        opened.pseudonym_key = key;
        let tables = DeskTable::of_grant(&opened.grant);
        let engine = Engine::open(opened).unwrap();
        let f = frontier(tables, "SELECT facility, count(*) FROM visit GROUP BY facility").await;
        let (_, batch) = engine.run(&f).unwrap();
        for name in batch.column(0).as_string::<i32>().iter().flatten() {
            assert!(
                name.strip_prefix("facility-")
                    .is_some_and(|rest| rest.len() == 10),
                "{name}"
            );
            seen.push(name.to_owned());
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "three facilities, other names in each project");
}

#[tokio::test]
async fn files_of_another_place_or_key_do_not_open() {
    let tables = clinic();
    let mut swapped = opened(&tables, |_| {});
    swapped.files.swap(0, 1);
    swapped.keys.swap(0, 1);
    assert!(Engine::open(swapped).is_err(), "range 1 in the place of range 0");
    let mut wrong = opened(&tables, |_| {});
    wrong.keys.swap(0, 1);
    assert!(Engine::open(wrong).is_err(), "another file's key");
    let mut missing = opened(&tables, |_| {});
    missing.files.pop();
    assert!(matches!(Engine::open(missing), Err(DataError::Files { .. })));
}

#[tokio::test]
async fn a_unit_out_of_order_fails_the_query_instead_of_falsifying_evidence() {
    let tables = clinic();
    // Files of ranges 0 and 2 change places together with their names: every page authenticates, the order is wrong.
    let mut disordered = opened(&tables, |grant| grant.tables[0].files.swap(0, 2));
    disordered.files.swap(0, 2);
    disordered.keys.swap(0, 2);
    disordered.threads = 1;
    let grant = disordered.grant.clone();
    let engine = Engine::open(disordered).unwrap();
    let f = frontier(DeskTable::of_grant(&grant), "SELECT count(*) FROM visit").await;
    assert!(matches!(engine.run(&f), Err(DataError::Evidence(_))));
}

#[tokio::test]
async fn a_pool_that_is_too_small_fails_the_query_and_not_the_process() {
    let tables = clinic();
    let mut small = opened(&tables, |_| {});
    small.memory_bytes = 64;
    let grant = small.grant.clone();
    let engine = Engine::open(small).unwrap();
    let f = frontier(
        DeskTable::of_grant(&grant),
        "SELECT icd, count(*) FROM visit GROUP BY icd",
    )
    .await;
    assert!(matches!(engine.run(&f), Err(DataError::Engine(_))));
}

#[tokio::test]
async fn expressions_never_fail_by_data() {
    let (grant, engine) = engine(&clinic());
    let tables = DeskTable::of_grant(&grant);
    for (predicate, expected) in [
        ("10 / (days - 1) > 0", 18 - 12 - 12 + 12),
        ("days * 9223372036854775807 > 0", -1),
        ("cast(icd as int) IS NULL", -1),
        ("cast(substr(icd, 2) as int) > 10", -1),
        ("date_trunc('month', date) < date '2006-01-01'", -1),
        ("cost * 99999999.99 * 99999999.99 * 9999.9999 IS NOT NULL", -1),
    ] {
        let sql = format!("SELECT count(*) FROM visit WHERE {predicate}");
        let f = frontier(tables.clone(), &sql).await;
        let (_, batch) = engine.run(&f).unwrap_or_else(|e| panic!("{sql}: {e}"));
        let rows = batch
            .column_by_name("v0")
            .unwrap()
            .as_primitive::<Int64Type>()
            .value(0);
        if expected >= 0 {
            // 30 visits, of which the 12 first ones divide by zero
            assert_eq!(rows, 30 - 12, "{sql}");
        }
    }
}

#[tokio::test]
async fn a_truncated_date_is_its_first_moment() {
    let (grant, engine) = engine(&clinic());
    let sql = "SELECT date_trunc('month', date) AS m, count(*) FROM visit GROUP BY 1";
    let f = frontier(DeskTable::of_grant(&grant), sql).await;
    let (_, batch) = engine.run(&f).unwrap();
    assert!(batch.num_rows() > 3);
    for row in 0..batch.num_rows() {
        let text = array_value_to_string(batch.column(0), row).unwrap();
        assert!(text.ends_with("-01T00:00:00"), "{text}");
    }
}

#[tokio::test]
async fn threads_may_read_one_file_at_once() {
    let tables = clinic();
    for _ in 0..50 {
        // A fresh engine decodes the public table by both threads at once, and both sides of the join read one file.
        let (grant, engine) = engine(&tables);
        let sql = "SELECT chapter, count(*) FROM visit a JOIN visit b ON a.pid = b.pid JOIN icd10 ON a.icd = code \
                   GROUP BY chapter";
        let f = frontier(DeskTable::of_grant(&grant), sql).await;
        let (_, batch) = engine.run(&f).unwrap();
        assert_eq!(batch.num_rows(), 3);
    }
}

#[tokio::test]
async fn too_little_memory_fails_the_query_and_never_changes_a_cell() {
    let tables = clinic();
    // Joins, an aggregation per person and the sort by unit that they need: what there is of operators with state.
    let sql = "SELECT v.icd, count(*), count(distinct v.pid), sum(v.cost), max(t.n) FROM visit v \
               JOIN visit w ON w.pid = v.pid AND w.days >= v.days \
               JOIN (SELECT pid, count(*) AS n FROM visit GROUP BY pid) t ON t.pid = v.pid \
               JOIN icd10 i ON i.code = v.icd GROUP BY v.icd";
    let run = |bytes: usize| async move {
        let mut opened = opened(&clinic(), |_| {});
        opened.memory_bytes = bytes;
        opened.threads = 1;
        let frontier = frontier(DeskTable::of_grant(&opened.grant), sql).await;
        Engine::open(opened)
            .unwrap()
            .run(&frontier)
            .map(|(_, batch)| batch)
    };
    let enough = run(64 << 20).await.unwrap();
    assert_eq!(
        enough.num_rows(),
        tables[2].rows.len() - 1,
        "no visit has the last code"
    );
    let (mut failed, mut ran) = (0, 0);
    for bits in 4..24 {
        match run(1 << bits).await {
            Ok(batch) => {
                assert_eq!(batch, enough, "{bits} bits");
                ran += 1;
            }
            Err(error) => {
                assert!(matches!(error, DataError::Engine(_)), "{error}");
                failed += 1;
            }
        }
    }
    assert!(failed > 3 && ran > 3, "{failed} failed, {ran} ran");
}
