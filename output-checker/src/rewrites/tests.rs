#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use tre_core::algebra::{
    Aggregate, Argument, Comparison, DatePart, Expr, Frontier, Function, Node, Quantity, UnitCall,
};
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::VersionId;
use tre_core::manifest::{Bounds, ColumnMeta};
use tre_core::policy::Policy;
use tre_core::status::Rule;
use tre_core::types::{ColumnType, Value};

use super::{MOST, Proposal, propose};
use crate::Decision;
use crate::judge_question;
use crate::lineage::lineage;

const NDB: &str = include_str!("../../../policies/sdc/ndb.toml");
const ACRO: &str = include_str!("../../../policies/sdc/acro-defaults.toml");

fn ndb() -> Policy {
    Policy::parse(&"ndb".parse().unwrap(), NDB).unwrap()
}

fn column(name: &str, column_type: ColumnType, generalised: &str, tag: &str) -> ColumnMeta {
    ColumnMeta {
        name: name.parse().unwrap(),
        column_type,
        description: String::new(),
        entity: None,
        measure: None,
        domain: None,
        tag: (!tag.is_empty()).then(|| tag.to_owned()),
        hierarchy: None,
        generalised: generalised.to_owned(),
    }
}

fn banded(name: &str, bounds: &[i64]) -> ColumnMeta {
    ColumnMeta {
        domain: Some(bounds.iter().map(|bound| Value::Int(*bound)).collect()),
        ..column(name, ColumnType::Int, "bands", "")
    }
}

fn measure(name: &str, column_type: ColumnType, min: Value, max: Value) -> ColumnMeta {
    ColumnMeta {
        measure: Some(Bounds { min, max }),
        ..column(name, column_type, "", "")
    }
}

fn table(name: &str, public: bool, stored: Vec<ColumnMeta>) -> GrantedTable {
    GrantedTable {
        version: VersionId::from_hash("claims".parse().unwrap(), [1; 32]),
        table: name.parse().unwrap(),
        description: String::new(),
        public,
        population: "japan".parse().unwrap(),
        cuts: vec![0],
        columns: stored.iter().map(|column| column.name.clone()).collect(),
        stored,
        row_filter: None,
        files: vec![],
    }
}

/// The columns of `visit`, in the order in which [`visits`] scans them.
const COLUMNS: [&str; 12] = [
    "sex", "age", "born", "month", "day", "icd", "yj", "ward", "place", "cost", "days", "change",
];

fn at(name: &str) -> usize {
    COLUMNS.iter().position(|column| *column == name).unwrap()
}

fn key(name: &str) -> (String, Expr) {
    (format!("v.{name}"), Expr::Column(at(name)))
}

fn grant() -> Grant {
    let text = |name, generalised, tag| column(name, ColumnType::Text, generalised, tag);
    let decimal = |unscaled| Value::Decimal { unscaled, scale: 2 };
    let sex = ColumnMeta {
        domain: Some(vec![Value::Text("F".into()), Value::Text("M".into())]),
        ..text("sex", "", "")
    };
    let place = ColumnMeta {
        hierarchy: Some("places.code".to_owned()),
        ..text("place", "", "jis-x-0402")
    };
    let visit = vec![
        sex,
        banded("age", &[0, 18, 30, 40, 50, 60, 70, 80]),
        banded("born", &[1900, 1920, 1940, 1960]),
        column("month", ColumnType::Date, "month", ""),
        column("day", ColumnType::Date, "", ""),
        text("icd", "prefix 3", "icd10"),
        text("yj", "prefix 7", "yj"),
        text("ward", "prefix 4", ""),
        place,
        measure(
            "cost",
            ColumnType::Decimal { scale: 2 },
            decimal(0),
            decimal(100_000),
        ),
        measure("days", ColumnType::Int, Value::Int(0), Value::Int(31)),
        measure("change", ColumnType::Int, Value::Int(-100), Value::Int(100)),
    ];
    let places = vec![
        text("code", "", "jis-x-0402"),
        text("name", "", ""),
        text("prefecture", "", "jis-x-0401"),
        column("population", ColumnType::Int, "", ""),
    ];
    Grant {
        project: "p".parse().unwrap(),
        tables: vec![table("visit", false, visit), table("places", true, places)],
    }
}

fn visits() -> Node {
    Node::Scan {
        dataset: "claims".parse().unwrap(),
        table: "visit".parse().unwrap(),
        columns: COLUMNS.iter().map(|name| name.parse().unwrap()).collect(),
    }
}

fn by(keys: &[(String, Expr)], aggregates: &[(Aggregate, &str)]) -> Frontier {
    let mut arguments = Vec::new();
    for (aggregate, column) in aggregates {
        if aggregate.argument().is_some() {
            arguments.push(Argument {
                when: None,
                quantity: Quantity::Column(at(column)),
            });
        }
    }
    Frontier {
        input: visits(),
        keys: keys.to_vec(),
        arguments,
        aggregates: aggregates.iter().map(|(aggregate, _)| *aggregate).collect(),
    }
}

fn counted(keys: &[(String, Expr)]) -> Frontier {
    by(keys, &[(Aggregate::CountUnits, "")])
}

fn proposed(frontier: &Frontier) -> Vec<Proposal> {
    propose(std::slice::from_ref(frontier), &grant(), &ndb())
}

/// Replacements, and clauses in front of them.
fn sql(proposals: &[Proposal]) -> Vec<String> {
    proposals
        .iter()
        .map(|proposal| {
            let rewrite = &proposal.rewrite;
            let parts = [rewrite.add.as_str(), rewrite.by.as_str()];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            if parts.is_empty() {
                format!("without {}", rewrite.replace)
            } else {
                parts.join(" … ")
            }
        })
        .collect()
}

#[test]
fn every_hierarchy_has_its_next_levels_from_mild_to_strong() {
    let truncated = |part, name: &str| {
        let call = Expr::Call(Function::Truncate(part), vec![Expr::Column(at(name))]);
        (format!("date_trunc(Utf8(\"month\"),v.{name})"), call)
    };
    let prefix = |name: &str, length| {
        let whole = |number| Expr::Literal(Value::Int(number));
        let call = Expr::Call(
            Function::Substr,
            vec![Expr::Column(at(name)), whole(1), whole(length)],
        );
        (format!("substr(v.{name},Int64(1),Int64({length}))"), call)
    };
    // (key, what is proposed)
    let cases: &[((String, Expr), &[&str])] = &[
        (key("sex"), &["without v.sex"]),
        (
            key("age"),
            &[
                "CASE WHEN v.age >= 70 THEN 70 WHEN v.age >= 50 THEN 50 WHEN v.age >= 30 THEN 30 WHEN v.age >= 0 THEN 0 END",
                "CASE WHEN v.age >= 50 THEN 50 WHEN v.age >= 0 THEN 0 END",
                "without v.age",
            ],
        ),
        (
            key("born"),
            &[
                "CASE WHEN v.born >= 1940 THEN 1940 WHEN v.born >= 1900 THEN 1900 END",
                "without v.born",
            ],
        ),
        (
            key("month"),
            &[
                "date_trunc('quarter', v.month)",
                "date_trunc('year', v.month)",
                "without v.month",
            ],
        ),
        (
            key("day"),
            &[
                "date_trunc('month', v.day)",
                "date_trunc('quarter', v.day)",
                "date_trunc('year', v.day)",
            ],
        ),
        (
            truncated(DatePart::Quarter, "day"),
            &[
                "date_trunc('year', v.day)",
                "without date_trunc('quarter', v.day)",
            ],
        ),
        (key("icd"), &["substr(v.icd, 1, 1)", "without v.icd"]),
        (
            key("yj"),
            &["substr(v.yj, 1, 4)", "substr(v.yj, 1, 3)", "substr(v.yj, 1, 2)"],
        ),
        (
            prefix("yj", 4),
            &[
                "substr(v.yj, 1, 3)",
                "substr(v.yj, 1, 2)",
                "without substr(v.yj, 1, 4)",
            ],
        ),
        (
            key("ward"),
            &["substr(v.ward, 1, 3)", "substr(v.ward, 1, 2)", "without v.ward"],
        ),
        // The policy refers what is computed from a municipality's code; its prefecture by name has a tag of its own.
        (
            key("place"),
            &[
                "LEFT JOIN places ON places.code = v.place … places.prefecture",
                "without v.place",
            ],
        ),
        (key("days"), &["v.days / 5 * 5", "without v.days"]),
        (
            key("cost"),
            &[
                "CASE WHEN v.cost >= 800.00 THEN 800.00 WHEN v.cost >= 600.00 THEN 600.00 WHEN v.cost >= 400.00 THEN 400.00 \
                 WHEN v.cost >= 200.00 THEN 200.00 WHEN v.cost >= 0.00 THEN 0.00 END",
                "without v.cost",
            ],
        ),
    ];
    for (key, expected) in cases {
        let larger: Vec<Proposal> = proposed(&counted(std::slice::from_ref(key)))
            .into_iter()
            .filter(|proposal| proposal.rewrite.against.contains(&Rule::Threshold))
            .collect();
        assert_eq!(sql(&larger), *expected, "{}", key.0);
    }
}

#[test]
fn of_several_keys_each_has_its_mildest_rewrite() {
    let keys = [key("age"), key("month"), key("icd")];
    assert_eq!(
        sql(&proposed(&counted(&keys))),
        [
            "CASE WHEN v.age >= 70 THEN 70 WHEN v.age >= 50 THEN 50 WHEN v.age >= 30 THEN 30 WHEN v.age >= 0 THEN 0 END",
            "date_trunc('quarter', v.month)",
            "substr(v.icd, 1, 1)",
        ]
    );
}

#[test]
fn every_rewrite_may_be_asked_and_makes_the_plans_that_it_says() {
    let aggregates = [
        (Aggregate::CountRows, ""),
        (Aggregate::Max(0), "days"),
        (Aggregate::Sum(1), "cost"),
    ];
    let by_sex = by(&[key("sex"), key("month")], &aggregates);
    let by_place = by(&[key("place"), key("month")], &aggregates);
    for (frontier, how_many) in [(by_sex, MOST + 2), (by_place, 2)] {
        let proposals = proposed(&frontier);
        assert_eq!(proposals.len(), how_many, "{proposals:?}");
        for proposal in &proposals {
            assert_eq!(proposal.frontiers.len(), 1);
            let changed = &proposal.frontiers[0];
            let lineage = lineage(changed, &grant()).unwrap();
            assert_eq!(
                judge_question(&lineage, &ndb()),
                Decision::Release,
                "{proposal:?}"
            );
            assert_ne!(*changed, frontier);
            // Nothing by municipality is shown while the policy lists none.
            assert!(
                lineage
                    .keys
                    .iter()
                    .all(|key| key.tag.as_deref() != Some("jis-x-0402"))
            );
        }
    }
}

#[test]
fn one_change_of_the_text_changes_all_parts_of_the_query() {
    let parts = [counted(&[key("month")]), counted(&[key("month"), key("sex")])];
    let proposals = propose(&parts, &grant(), &ndb());
    let quarter = proposals
        .iter()
        .find(|proposal| proposal.rewrite.by.contains("quarter"))
        .unwrap();
    for changed in &quarter.frontiers {
        assert!(matches!(
            changed.keys[0].1,
            Expr::Call(Function::Truncate(DatePart::Quarter), _)
        ));
    }
}

#[test]
fn questions_that_may_not_be_asked_come_with_ones_that_may() {
    let small = Policy::parse(
        &"ndb".parse().unwrap(),
        &NDB.replace("max_keys = 10", "max_keys = 2"),
    )
    .unwrap();
    let told = |frontier: &Frontier| sql(&propose(std::slice::from_ref(frontier), &grant(), &small));
    // One key too many, two keys too many.
    let three = counted(&[key("sex"), key("month"), key("icd")]);
    assert_eq!(
        told(&three),
        ["without v.sex", "without v.month", "without v.icd"]
    );
    let four = counted(&[key("sex"), key("age"), key("month"), key("icd")]);
    assert_eq!(told(&four), ["without v.month, v.icd"]);

    let where_place = |predicate: Expr| Frontier {
        input: Node::Filter {
            input: Box::new(visits()),
            predicate,
        },
        ..counted(&[key("sex")])
    };
    let is_tokyo = Expr::Compare(
        Comparison::Eq,
        Box::new(Expr::Column(at("place"))),
        Box::new(Expr::Literal(Value::Text("13101".into()))),
    );
    let listed = NDB.replace("minimum = 10, values = []", "minimum = 10, values = [\"13101\"]");
    let listed = Policy::parse(&"ndb".parse().unwrap(), &listed).unwrap();
    let selected = where_place(is_tokyo);
    let told = propose(std::slice::from_ref(&selected), &grant(), &listed);
    assert_eq!(
        told[0].rewrite.what,
        "group by `place` instead of selecting by it: leave `place = '13101'` out of WHERE"
    );
    assert_eq!(told[0].frontiers[0].input, visits());
    assert_eq!(
        propose(&[selected], &grant(), &ndb()),
        [],
        "no list, no answer by place"
    );
}

#[test]
fn extremes_sums_of_both_signs_and_gaps_have_rewrites_of_their_own() {
    let against = |frontier: &Frontier, policy: &Policy, rule: Rule| -> Vec<String> {
        let proposals = propose(std::slice::from_ref(frontier), &grant(), policy);
        let mut told = proposals
            .iter()
            .filter(|proposal| proposal.rewrite.against == [rule])
            .map(|proposal| {
                let rewrite = &proposal.rewrite;
                format!("{} → {} + {}", rewrite.replace, rewrite.by, rewrite.add)
            })
            .collect::<Vec<_>>();
        told.dedup();
        told
    };
    let most = by(&[key("sex")], &[(Aggregate::Max(0), "days")]);
    assert_eq!(
        against(&most, &ndb(), Rule::Extreme),
        ["max(days) → days / 5 * 5, count(distinct pid) + GROUP BY days / 5 * 5"]
    );
    let visits_of_each = Frontier {
        input: Node::PerUnit {
            input: Box::new(visits()),
            keys: vec![("sex".to_owned(), Expr::Column(at("sex")))],
            calls: vec![("n".to_owned(), UnitCall::CountRows)],
        },
        keys: vec![("t.sex".to_owned(), Expr::Column(0))],
        arguments: vec![Argument {
            when: None,
            quantity: Quantity::Column(1),
        }],
        aggregates: vec![Aggregate::Max(0)],
    };
    assert_eq!(
        against(&visits_of_each, &ndb(), Rule::Extreme),
        ["max(n) → n, count(distinct pid) + GROUP BY n"]
    );
    let acro = Policy::parse(&"acro-defaults".parse().unwrap(), ACRO).unwrap();
    let change = by(&[key("sex")], &[(Aggregate::Sum(0), "change")]);
    assert_eq!(
        against(&change, &acro, Rule::Dominance),
        ["sum(change) → sum(change) FILTER (WHERE change > 0) + "]
    );
    assert_eq!(
        against(&change, &ndb(), Rule::Dominance),
        [""; 0],
        "no rule of dominance"
    );
    let gaps = by(
        &[key("sex")],
        &[
            (Aggregate::CountRows, ""),
            (Aggregate::Sum(0), "cost"),
            (Aggregate::Sum(1), "days"),
        ],
    );
    assert_eq!(
        against(&gaps, &ndb(), Rule::Complement),
        [" →  + WHERE cost IS NOT NULL AND days IS NOT NULL"]
    );
    // What is no measure cannot be summed; people can be counted by it.
    let ages = by(&[key("sex")], &[(Aggregate::Sum(0), "age")]);
    assert!(lineage(&ages, &grant()).is_err());
    assert_eq!(
        against(&ages, &ndb(), Rule::Extreme),
        ["sum(age) → age, count(distinct pid) + GROUP BY age"]
    );
}

#[test]
fn what_cannot_be_resolved_has_no_rewrite() {
    let broken = counted(&[("x".to_owned(), Expr::Column(99))]);
    assert_eq!(proposed(&broken), []);
    assert_eq!(proposed(&counted(&[])), []);
}
