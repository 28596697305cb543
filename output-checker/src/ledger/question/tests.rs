#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::boxed_local,
    reason = "tests fail by panicking, and nodes lie in boxes"
)]
use tre_core::algebra::{Aggregate, Argument, Comparison};
use tre_core::types::{ColumnType, Value};

use super::*;

const TAGS: [&str; 1] = ["icd10"];

fn table(name: &str, public: bool, columns: &[&str]) -> GrantedTable {
    let meta = |name: &&str| ColumnMeta {
        name: name.parse().unwrap(),
        column_type: ColumnType::Int,
        description: String::new(),
        entity: None,
        measure: None,
        domain: None,
        tag: (*name == "icd").then(|| TAGS.concat()),
        hierarchy: None,
        generalised: String::new(),
    };
    GrantedTable {
        version: "liver@aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
        table: name.parse().unwrap(),
        description: String::new(),
        public,
        population: "clinic".parse().unwrap(),
        cuts: vec![0],
        stored: columns.iter().map(meta).collect(),
        columns: columns.iter().map(|name| name.parse().unwrap()).collect(),
        row_filter: None,
        files: vec![],
    }
}

fn grant() -> Grant {
    Grant {
        project: "liver".parse().unwrap(),
        tables: vec![
            table("visit", false, &["age", "icd", "cost"]),
            table("icd10", true, &["code", "chapter"]),
        ],
    }
}

fn scan(table: &str, columns: &[&str]) -> Box<Node> {
    Box::new(Node::Scan {
        dataset: "liver".parse().unwrap(),
        table: table.parse().unwrap(),
        columns: columns.iter().map(|name| name.parse().unwrap()).collect(),
    })
}

fn is(column: usize, value: i64) -> Expr {
    Expr::Compare(
        Comparison::Eq,
        Box::new(Expr::Column(column)),
        Box::new(Expr::Literal(Value::Int(value))),
    )
}

fn where_(input: Box<Node>, predicate: Expr) -> Box<Node> {
    Box::new(Node::Filter { input, predicate })
}

fn asked(input: Box<Node>, key: Option<Expr>) -> Question {
    let frontier = Frontier {
        input: *input,
        keys: key.into_iter().map(|key| ("key".to_owned(), key)).collect(),
        arguments: vec![],
        aggregates: vec![Aggregate::CountRows],
    };
    described(&frontier).question
}

fn described(frontier: &Frontier) -> Described {
    question(frontier, &grant(), &TAGS.map(str::to_owned)).unwrap()
}

#[test]
fn what_is_read_beside_and_in_which_order_does_not_make_another_question() {
    let narrow = asked(
        where_(
            scan("visit", &["age", "icd"]),
            Expr::And(is(0, 40).into(), is(1, 7).into()),
        ),
        Some(Expr::Column(0)),
    );
    // The same with a column more, in another order, in two steps, and renamed.
    let wide = where_(
        where_(scan("visit", &["cost", "icd", "age"]), is(1, 7)),
        is(2, 40),
    );
    let renamed = Box::new(Node::Project {
        input: wide,
        columns: vec![
            ("a".to_owned(), Expr::Column(0)),
            ("b".to_owned(), Expr::Column(2)),
        ],
    });
    assert_eq!(asked(renamed, Some(Expr::Column(1))), narrow);
    let other = asked(
        where_(scan("visit", &["age", "icd"]), is(0, 41)),
        Some(Expr::Column(0)),
    );
    assert_ne!(other.plan, narrow.plan);
    assert_eq!(other.keys, narrow.keys);
}

#[test]
fn sensitive_conditions_are_told_apart_by_what_they_demand() {
    let diagnosis = |code| asked(where_(scan("visit", &["age", "icd"]), is(1, code)), None).sensitive;
    let age = |age| asked(where_(scan("visit", &["age", "icd"]), is(0, age)), None).sensitive;
    assert_eq!((age(40), age(41)), (BTreeSet::new(), BTreeSet::new()));
    assert_eq!(diagnosis(7), diagnosis(7));
    assert_ne!(diagnosis(7), diagnosis(8));
    let key = asked(scan("visit", &["age", "icd"]), Some(Expr::Column(1)));
    assert_eq!(key.sensitive.len(), 1, "a key says who has what");
}

#[test]
fn only_keys_of_peoples_own_rows_part_them() {
    let join = |left: Box<Node>, on_unit: bool| {
        let (right, on) = if on_unit {
            (scan("visit", &["icd"]), vec![])
        } else {
            (scan("icd10", &["code", "chapter"]), vec![(1, 0)])
        };
        Box::new(match on_unit {
            true => Node::JoinUnit {
                kind: JoinKind::Inner,
                left,
                right,
                on,
                condition: None,
            },
            false => Node::JoinPublic {
                kind: JoinKind::Inner,
                left,
                right,
                on,
                condition: None,
            },
        })
    };
    let visit = || scan("visit", &["age", "icd"]);
    for (case, input, key, expected) in [
        ("a stored column", visit(), 0, true),
        ("beside a public table", join(visit(), false), 0, true),
        (
            "a column of a public table: a row can stand in two groups",
            join(visit(), false),
            3,
            false,
        ),
        (
            "a table read twice: its rows are paired",
            join(visit(), true),
            0,
            false,
        ),
    ] {
        let question = asked(input, Some(Expr::Column(key)));
        assert_eq!(question.keys_part_rows, expected, "{case}");
        assert_eq!(
            question.tables.len(),
            1 + usize::from(case.contains("twice")),
            "{case}"
        );
    }
}

/// However a sum is written, it is the sum of the same quantity; its conditions are told beside it.
#[test]
fn a_sum_of_sums_per_person_is_the_sum() {
    let over = |input: Box<Node>, position: usize, when: Option<Expr>| {
        let frontier = Frontier {
            input: *input,
            keys: vec![],
            arguments: vec![Argument {
                when,
                quantity: Quantity::Column(position),
            }],
            aggregates: vec![Aggregate::Sum(0)],
        };
        let described = described(&frontier);
        (described.arguments, described.question)
    };
    let visit = || scan("visit", &["age", "icd", "cost"]);
    let per_person = |call: UnitCall| {
        Box::new(Node::PerUnit {
            input: visit(),
            keys: vec![],
            calls: vec![("whatever".to_owned(), call)],
        })
    };
    let only = |value: Expr| Expr::Case {
        branches: vec![(is(1, 7), value)],
        otherwise: None,
    };
    let (plain, question) = over(visit(), 2, None);
    assert_eq!(plain[0].quantity.as_deref(), Some("\"liver.visit.cost\""));
    let (summed, again) = over(per_person(UnitCall::Sum(Expr::Column(2))), 0, None);
    assert_eq!(summed, plain);
    assert_ne!(question.plan, again.plan, "but it is another question");
    let (part, _) = over(per_person(UnitCall::Sum(only(Expr::Column(2)))), 0, None);
    assert_eq!(part, plain);
    let (filtered, sensitive) = over(visit(), 2, Some(is(1, 7)));
    assert_eq!(filtered[0].quantity, plain[0].quantity);
    assert!(filtered[0].when.is_some() && sensitive.sensitive.len() == 1);
    let (largest, _) = over(per_person(UnitCall::Max(Expr::Column(2))), 0, None);
    assert_ne!(largest, plain);
    let (rows, _) = over(per_person(UnitCall::CountRows), 0, None);
    assert_eq!(rows[0].quantity, None, "rows");
}
