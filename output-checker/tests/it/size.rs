//! Large answers: the policy's limit on rows, and that checking is fast.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{Array, ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::DataType;
use output_checker::{Decision, LetOut, check};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tre_core::evidence::{BaseCells, ValueKind};
use tre_core::policy::Policy;
use tre_core::types::{ColumnType, Value};

use crate::asked::draw_key;
use crate::parameters::*;
use crate::world::*;

#[test]
fn more_rows_than_the_policy_lets_out_are_referred_or_withheld() {
    let question = Question::new(vec![text_key(false)], vec![], vec![ValueKind::CountRows]);
    // Three places with three people each, and one with two, which does not count: it may not be shown anyway.
    let places = [("a", 3), ("b", 3), ("c", 3), ("d", 2)];
    let mut unit = 0;
    let mut rows = Vec::new();
    for (place, people) in places {
        for _ in 0..people {
            unit += 1;
            rows.push(Row {
                unit,
                keys: vec![Some(place.to_owned())],
                arguments: vec![],
            });
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // (limit, above, word of the decision, rows among the treated cells)
    let cases = [
        (3, "refer", "release", 3),
        (2, "refer", "refer", 3),
        (2, "withhold", "withhold", 0),
    ];
    for (max_rows, above, word, shown) in cases {
        let policy = Parameters {
            max_rows,
            above,
            complete_up_to: 0,
            ..STRICT
        }
        .policy();
        let checked = question.ask(&rows, &policy, &mut rng);
        assert_eq!(checked.decision.word(), word);
        assert_eq!(checked.treated.batch().num_rows(), shown);
        assert!(
            checked
                .decision
                .reasons()
                .iter()
                .all(|reason| reason.code.id == "TRE-SDC-021")
        );
        if word == "release" {
            assert_eq!(checked.decision, Decision::Release);
        }
    }
}

#[test]
fn a_product_of_domains_beyond_the_limit_is_treated_as_undeclared() {
    let question = Question::new(
        vec![text_key(true), int_key(true)],
        vec![],
        vec![ValueKind::CountRows],
    );
    let rows: Vec<Row> = (0..2)
        .map(|unit| Row {
            unit,
            keys: vec![Some("a".into()), Some("7".into())],
            arguments: vec![],
        })
        .collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (complete_up_to, shown, notice) in [(6, 6, "groups outside"), (5, 0, "rare groups")] {
        let policy = Parameters {
            complete_up_to,
            ..STRICT
        }
        .policy();
        let checked = question.ask(&rows, &policy, &mut rng);
        assert_eq!(checked.treated.batch().num_rows(), shown);
        assert!(checked.notices[0].starts_with(notice), "{:?}", checked.notices);
    }
}

/// 340,000 groups by three keys, four values: the size of a table of diagnoses by sex, prefecture and age that took
/// ACRO 22 s (facts on peers); here in the test profile, on a machine that does other things, well under that.
#[test]
fn a_third_of_a_million_cells_are_checked_in_seconds_at_most() {
    let (codes, prefectures, ages) = (402_i64, 47, 18);
    let count = usize::try_from(codes * prefectures * ages).unwrap();
    let key = |name: &str, column_type, domain| output_checker::lineage::KeyLineage {
        name: name.into(),
        column_type,
        domain,
        tag: None,
        computed_from: vec![],
    };
    let question = Question::new(
        vec![
            key("icd", ColumnType::Text, None),
            key(
                "prefecture",
                ColumnType::Int,
                Some((0..prefectures).map(Value::Int).collect()),
            ),
            key(
                "age",
                ColumnType::Int,
                Some((0..ages).rev().map(Value::Int).collect()),
            ),
        ],
        vec![ColumnType::Decimal { scale: 2 }],
        vec![
            ValueKind::CountRows,
            ValueKind::CountUnits,
            ValueKind::Count { argument: 0 },
            ValueKind::Sum { argument: 0 },
        ],
    );
    let layout = question.lineage.layout.clone();
    let schema = layout.schema().unwrap();
    // A fixed permutation: the groups come in no order.
    let places: Vec<i64> = (0..count as i64).map(|i| i * 7_919 % count as i64).collect();
    let people = |place: i64| (place % 97) as u64;
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let counts = |f: &dyn Fn(u64) -> u64| {
            places
                .iter()
                .map(|place| f(people(*place) + 1))
                .collect::<Vec<u64>>()
        };
        match field.name().as_str() {
            "k0" => Arc::new(
                places
                    .iter()
                    .map(|p| Some(format!("{:03}", p / (47 * 18))))
                    .collect::<StringArray>(),
            ),
            "k1" => Arc::new(places.iter().map(|p| Some(p / 18 % 47)).collect::<Int64Array>()),
            "k2" => Arc::new(places.iter().map(|p| Some(p % 18)).collect::<Int64Array>()),
            "null_of_a0" => Arc::new(UInt64Array::from(vec![0; count])),
            name => match field.data_type() {
                DataType::Int64 => Arc::new(
                    places
                        .iter()
                        .map(|p| Some(people(*p) as i64 + 1))
                        .collect::<Int64Array>(),
                ),
                DataType::Decimal128(..) => {
                    let value = i128::from(name != "a0_min") + 1;
                    let values = counts(&|n| n)
                        .into_iter()
                        .map(|n| Some(i128::from(n) * value * 12_345));
                    Arc::new(
                        values
                            .collect::<Decimal128Array>()
                            .with_data_type(field.data_type().clone()),
                    )
                }
                _ => Arc::new(UInt64Array::from(counts(&|n| n))),
            },
        }
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    let policy = Policy::parse(
        &"ndb".parse().unwrap(),
        include_str!("../../../policies/sdc/ndb.toml"),
    )
    .unwrap();

    let start = Instant::now();
    let cells = BaseCells::new(layout, batch).unwrap();
    let taken = start.elapsed();
    let checked = check(&cells, &question.lineage, &policy, &draw_key(), LetOut::ByRule);
    let checking = start.elapsed() - taken;
    eprintln!("{count} groups × 4 values: {taken:?} to take, {checking:?} to check");
    let shown = checked.treated.batch();
    assert_eq!(
        shown.num_rows(),
        places.iter().filter(|place| people(**place) + 1 >= 10).count()
    );
    assert_eq!(checked.decision, Decision::Release);
    assert!(
        shown
            .column(0)
            .as_any()
            .downcast_ref::<StringArray>()
            .unwrap()
            .iter()
            .is_sorted()
    );
    assert!(start.elapsed() < Duration::from_secs(30));
}
