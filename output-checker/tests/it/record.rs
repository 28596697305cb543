//! The SDC record: bound to the bytes, readable again, of the published shape, and without evidence.

use std::path::Path;

use output_checker::record::{Aggregation, Origin, Outcome, SdcRecord, Tool, algebra_sha256};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tre_core::algebra::{Aggregate, Expr, Frontier, Node};
use tre_core::evidence::ValueKind;
use tre_core::policy::Policy;

use crate::parameters::*;
use crate::world::*;

fn frontier(aggregate: Aggregate) -> Frontier {
    let input = Node::Scan {
        dataset: "liver".parse().unwrap(),
        table: "visit".parse().unwrap(),
        columns: vec!["place".parse().unwrap()],
    };
    Frontier {
        input,
        keys: vec![("place".into(), Expr::Column(0))],
        arguments: vec![],
        aggregates: vec![aggregate],
    }
}

fn record(people: u32, max_rows: u32, output: &[u8]) -> SdcRecord {
    let question = Question::new(vec![text_key(true)], vec![], vec![ValueKind::CountRows]);
    let rows: Vec<Row> = (0..people)
        .map(|unit| Row {
            unit,
            keys: vec![Some("a".into())],
            arguments: vec![],
        })
        .collect();
    let policy = Parameters {
        max_rows,
        complete_up_to: max_rows,
        class: "show",
        zero: "show",
        ..STRICT
    }
    .policy();
    let checked = question.ask(&rows, &policy, &mut ChaCha8Rng::seed_from_u64(1));
    let aggregation = Aggregation::new(&frontier(Aggregate::CountRows), &question.lineage, &checked).unwrap();
    let origin = Origin {
        project: "liver-outcomes".parse().unwrap(),
        session: Some("ses_aaaaaaaaaaaaaaaa".parse().unwrap()),
        query: None,
        request: Some("req_bbbbbbbbbbbbbbbb".parse().unwrap()),
        sql: "SELECT place, count(*) AS n FROM visit GROUP BY place".into(),
    };
    let tool = Tool {
        name: "tre".into(),
        version: "0.1.0".into(),
    };
    SdcRecord::new(output, tool, origin, &policy, vec![aggregation])
}

#[test]
fn the_record_of_a_small_table() {
    let mut record = record(20, 3, b"place,n\n");
    record.policy.sha256 = "(of the policy)".into();
    let json = serde_json::to_string_pretty(&record).unwrap();
    insta::assert_snapshot!(json);
    let read: SdcRecord = serde_json::from_str(&json).unwrap();
    assert_eq!(read, record);
}

#[test]
fn it_describes_its_bytes_and_no_others() {
    let record = record(20, 3, b"place,n\n");
    assert!(record.describes(b"place,n\n"));
    for other in [&b"place,n"[..], b"place,m\n", b"place,n\n\n", b""] {
        assert!(!record.describes(other));
    }
}

#[test]
fn what_the_treated_cells_do_not_tell_the_record_does_not_tell() {
    // One person or two in a group: the same treated cells, so the same record.
    assert_eq!(record(1, 3, b""), record(2, 3, b""));
    assert_ne!(record(1, 3, b""), record(3, 3, b""));
}

#[test]
fn the_worst_decision_of_its_parts_is_recorded() {
    let bad = record(20, 0, b"");
    // With nothing completed, the one row that may be shown is more than none.
    assert_eq!(bad.decision.outcome, Outcome::Refer);
    assert_eq!(bad.decision.reasons[0].code, "TRE-SDC-021");
    let policy = STRICT.policy();
    let good = record(20, 3, b"");
    for parts in [[&good, &bad], [&bad, &good]] {
        let aggregations = parts.map(|part| part.aggregations[0].clone()).to_vec();
        let both = SdcRecord::new(b"", good.tool.clone(), good.origin.clone(), &policy, aggregations);
        assert_eq!(both.decision, bad.decision);
    }
}

#[test]
fn equal_plans_have_equal_digests() {
    let one = algebra_sha256(&frontier(Aggregate::CountRows)).unwrap();
    assert_eq!(one, algebra_sha256(&frontier(Aggregate::CountRows)).unwrap());
    assert_ne!(one, algebra_sha256(&frontier(Aggregate::CountUnits)).unwrap());
}

/// The published schemas are those of the code. To write them anew, copy the file that the failing test names.
#[test]
fn published_schemas_are_those_of_the_code() {
    let schemas = [
        (
            "schemas/sdc-record.schema.json",
            include_str!("../../schemas/sdc-record.schema.json"),
            SdcRecord::json_schema(),
        ),
        (
            "schemas/policy.schema.json",
            include_str!("../../schemas/policy.schema.json"),
            Policy::json_schema(),
        ),
    ];
    let mut stale = Vec::new();
    for (path, published, schema) in schemas {
        // As values: whether serde_json sorts keys depends on the features that other crates of a build ask for.
        let generated = serde_json::to_value(&schema).unwrap();
        if serde_json::from_str::<serde_json::Value>(published).unwrap() != generated {
            let generated = serde_json::to_string_pretty(&generated).unwrap() + "\n";
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(path.replace('/', "-"));
            std::fs::write(&file, &generated).unwrap();
            stale.push(format!(
                "{path} is not the schema of the code; the new one is {}",
                file.display()
            ));
        }
    }
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}
