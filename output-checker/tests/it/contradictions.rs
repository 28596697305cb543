//! Cells that cannot be right: the answer is withheld, and nothing of it is among the treated cells.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt64Array};
use output_checker::{Decision, LetOut, TreatedCells, check};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tre_core::evidence::{BaseCells, LayoutError, ValueKind};
use tre_core::types::{ColumnType, Value};

use crate::asked::draw_key;
use crate::parameters::*;
use crate::world::*;

fn counts_by_place() -> Question {
    Question::new(vec![text_key(true)], vec![], vec![ValueKind::CountRows])
}

/// Twenty people in each of these places.
fn cells(question: &Question, places: Vec<&str>) -> Result<BaseCells, LayoutError> {
    let count = places.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(places)),
        Arc::new(Int64Array::from(vec![20; count])),
        Arc::new(UInt64Array::from(vec![20; count])),
        Arc::new(UInt64Array::from(vec![20; count])),
    ];
    let layout = question.lineage.layout.clone();
    BaseCells::new(
        layout.clone(),
        RecordBatch::try_new(layout.schema().unwrap(), columns).unwrap(),
    )
}

#[test]
fn what_contradicts_the_lineage_is_withheld() {
    let question = counts_by_place();
    let policy = STRICT.policy();
    let good = cells(&question, vec!["a", "b"]).unwrap();
    assert_eq!(
        check(&good, &question.lineage, &policy, &draw_key(), LetOut::ByRule).decision,
        Decision::Release
    );

    let mut other_value = question.lineage.clone();
    other_value.layout.values = vec![ValueKind::CountUnits];
    let mut other_key = question.lineage.clone();
    other_key.layout.keys = vec![ColumnType::Int];
    let mut fewer_keys = question.lineage.clone();
    fewer_keys.keys.clear();
    let mut domain_of_another_type = question.lineage.clone();
    domain_of_another_type.keys[0].domain = Some(vec![Value::Int(1)]);
    let mut domain_with_null = question.lineage.clone();
    domain_with_null.keys[0].domain = Some(vec![Value::Null(ColumnType::Text)]);
    let twice = cells(&question, vec!["a", "b", "a"]).unwrap();
    let cases = [
        ("another value", &good, &other_value),
        ("another key type", &good, &other_key),
        ("fewer keys than the layout", &good, &fewer_keys),
        ("a domain of another type", &good, &domain_of_another_type),
        ("NULL in a domain", &good, &domain_with_null),
        ("a group twice", &twice, &question.lineage),
    ];
    for (case, cells, lineage) in cases {
        let checked = check(cells, lineage, &policy, &draw_key(), LetOut::ByRule);
        let Decision::Withhold { reasons } = &checked.decision else {
            panic!("{case}: {:?}", checked.decision)
        };
        assert_eq!(reasons[0].code.id, "TRE-SDC-022", "{case}");
        assert_eq!(checked.treated.batch().num_rows(), 0, "{case}");
        assert_eq!(
            checked.treated.batch().schema(),
            TreatedCells::schema(&lineage.layout).unwrap(),
            "{case}"
        );
    }
}

#[test]
fn evidence_that_contradicts_itself_or_the_values_is_not_taken() {
    let values = vec![
        ValueKind::CountRows,
        ValueKind::Count { argument: 0 },
        ValueKind::Sum { argument: 0 },
    ];
    let types = vec![ColumnType::Int, ColumnType::Decimal { scale: 1 }];
    let values = [values, vec![ValueKind::Count { argument: 1 }]].concat();
    let question = Question::new(vec![], types, values);
    let row = |unit, a, b| Row {
        unit,
        keys: vec![],
        arguments: vec![a, b],
    };
    let world = [
        row(1, Some(5), None),
        row(1, None, Some(2)),
        row(2, Some(7), Some(3)),
        row(3, None, None),
    ];
    let good = question.base_cells(&world, &mut ChaCha8Rng::seed_from_u64(1));
    let layout = question.lineage.layout.clone();
    let count = |number: u64| Arc::new(UInt64Array::from(vec![number])) as ArrayRef;
    let long = |number: i64| Arc::new(Int64Array::from(vec![number])) as ArrayRef;
    let decimal = |name: &str, number: Option<i128>| {
        let schema = good.batch().schema();
        let data_type = schema.field_with_name(name).unwrap().data_type().clone();
        Arc::new(arrow_array::Decimal128Array::from(vec![number]).with_data_type(data_type)) as ArrayRef
    };
    // (column, what it says instead)
    let lies = [
        ("v0", long(5)),
        ("v0", long(-1)),
        ("v1", long(1)),
        ("v2", decimal("v2", None)),
        ("v2", decimal("v2", Some(10_i128.pow(38)))),
        ("rows", count(3)),
        ("rows", count(0)),
        ("units", count(5)),
        ("units", count(0)),
        ("a0_rows", count(5)),
        ("a0_present", count(0)),
        ("a0_present", count(3)),
        ("a0_nonzero", count(3)),
        ("a0_min", decimal("a0_min", None)),
        ("a0_min", decimal("a0_min", Some(8))),
        ("a0_top2", decimal("a0_top2", Some(8))),
        ("a0_top2", decimal("a0_top2", Some(-1))),
        ("null_of_a0", count(0)),
        ("null_of_a0", count(4)),
        ("p0_1", count(3)),
        ("p1_0", count(3)),
    ];
    for (name, lie) in lies {
        let position = good.batch().schema().index_of(name).unwrap();
        let mut columns = good.batch().columns().to_vec();
        columns[position] = lie;
        let batch = RecordBatch::try_new(good.batch().schema(), columns).unwrap();
        let answer = BaseCells::new(layout.clone(), batch);
        assert!(
            matches!(answer, Err(LayoutError::Contradiction { row: 0, .. })),
            "{name}: {answer:?}"
        );
    }
    let fewer = good.batch().project(&[0, 1, 2]).unwrap();
    assert!(matches!(
        BaseCells::new(layout, fewer),
        Err(LayoutError::Schema(_))
    ));
}
