#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use tre_core::algebra::{
    Aggregate, Argument, Comparison, Expr, Frontier, JoinKind, Node, Quantity, UnitCall,
};
use tre_core::evidence::ValueKind;
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::VersionId;
use tre_core::manifest::{Bounds, ColumnMeta};
use tre_core::types::{ColumnType, Value};

use super::lineage;

fn column(name: &str, column_type: ColumnType) -> ColumnMeta {
    ColumnMeta {
        name: name.parse().unwrap(),
        column_type,
        description: String::new(),
        entity: None,
        measure: None,
        domain: None,
        tag: None,
        hierarchy: None,
        generalised: String::new(),
    }
}

fn table(dataset: &str, name: &str, public: bool, stored: Vec<ColumnMeta>) -> GrantedTable {
    GrantedTable {
        version: VersionId::from_hash(dataset.parse().unwrap(), [1; 32]),
        table: name.parse().unwrap(),
        description: String::new(),
        public,
        population: if dataset == "other" { "elsewhere" } else { "clinic" }
            .parse()
            .unwrap(),
        cuts: vec![0],
        columns: stored
            .iter()
            .map(|c| c.name.clone())
            .filter(|n| n.as_str() != "secret")
            .collect(),
        stored,
        row_filter: None,
        files: vec![],
    }
}

fn grant() -> Grant {
    let mut sex = column("sex", ColumnType::Text);
    sex.domain = Some(vec![Value::Text("F".into()), Value::Text("M".into())]);
    let mut cost = column("cost", ColumnType::Decimal { scale: 2 });
    cost.measure = Some(Bounds {
        min: Value::Decimal {
            unscaled: 0,
            scale: 2,
        },
        max: Value::Decimal {
            unscaled: 100,
            scale: 2,
        },
    });
    let mut weight = column("weight", ColumnType::Int);
    weight.measure = Some(Bounds {
        min: Value::Int(0),
        max: Value::Int(9),
    });
    Grant {
        project: "p".parse().unwrap(),
        tables: vec![
            table(
                "liver",
                "visit",
                false,
                vec![
                    sex,
                    cost,
                    column("icd", ColumnType::Text),
                    column("secret", ColumnType::Text),
                ],
            ),
            table(
                "liver",
                "icd10",
                true,
                vec![column("code", ColumnType::Text), weight],
            ),
            table("other", "person", false, vec![column("sex", ColumnType::Text)]),
        ],
    }
}

fn scan(dataset: &str, table: &str, columns: &[&str]) -> Node {
    Node::Scan {
        dataset: dataset.parse().unwrap(),
        table: table.parse().unwrap(),
        columns: columns.iter().map(|c| c.parse().unwrap()).collect(),
    }
}

/// A frontier whose arguments are the bare columns `arguments`.
fn frontier(input: Node, keys: Vec<Expr>, arguments: &[usize], aggregates: Vec<Aggregate>) -> Frontier {
    let bare = |column: &usize| Argument {
        when: None,
        quantity: Quantity::Column(*column),
    };
    Frontier {
        input,
        keys: keys.into_iter().map(|k| ("k".to_owned(), k)).collect(),
        arguments: arguments.iter().map(bare).collect(),
        aggregates,
    }
}

#[test]
fn bare_keys_carry_their_domain_and_computed_keys_none() {
    let lower = Expr::Call(tre_core::algebra::Function::Lower, vec![Expr::Column(0)]);
    let f = frontier(
        scan("liver", "visit", &["sex", "cost"]),
        vec![Expr::Column(0), lower],
        &[],
        vec![Aggregate::CountRows],
    );
    let l = lineage(&f, &grant()).unwrap();
    assert_eq!(l.keys[0].domain.as_ref().unwrap().len(), 2);
    assert_eq!(l.keys[1].domain, None);
}

#[test]
fn arguments_are_shared_between_aggregates_of_one_column() {
    let f = frontier(
        scan("liver", "visit", &["sex", "cost"]),
        vec![],
        &[1, 0],
        vec![
            Aggregate::Sum(0),
            Aggregate::Count(0),
            Aggregate::CountUnits,
            Aggregate::Count(1),
        ],
    );
    let l = lineage(&f, &grant()).unwrap();
    assert_eq!(
        l.layout.values,
        [
            ValueKind::Sum { argument: 0 },
            ValueKind::Count { argument: 0 },
            ValueKind::CountUnits,
            ValueKind::Count { argument: 1 }
        ]
    );
    assert_eq!(
        l.layout.arguments,
        [ColumnType::Decimal { scale: 2 }, ColumnType::Text]
    );
}

#[test]
fn what_has_no_lineage_is_refused_with_its_code() {
    let visit = || scan("liver", "visit", &["sex", "cost", "icd"]);
    let icd = || scan("liver", "icd10", &["code", "weight"]);
    let join = |left, right, on| Node::JoinPublic {
        kind: JoinKind::Inner,
        condition: None,
        left: Box::new(left),
        right: Box::new(right),
        on,
    };
    let plus = Expr::Arithmetic(
        tre_core::algebra::Arithmetic::Add,
        Box::new(Expr::Column(1)),
        Box::new(Expr::Literal(Value::Int(1))),
    );
    let computed = Node::Project {
        input: Box::new(visit()),
        columns: vec![("c".into(), plus)],
    };
    let bad_filter = Node::Filter {
        input: Box::new(visit()),
        predicate: Expr::Compare(
            Comparison::Eq,
            Box::new(Expr::Column(0)),
            Box::new(Expr::Literal(Value::Int(1))),
        ),
    };
    let count = vec![Aggregate::CountRows];
    let cases: Vec<(&str, Frontier, &str)> = vec![
        (
            "column outside of the permit",
            frontier(scan("liver", "visit", &["secret"]), vec![], &[], count.clone()),
            "TRE-SQL-003",
        ),
        (
            "table outside of the permit",
            frontier(scan("liver", "death", &[]), vec![], &[], count.clone()),
            "TRE-SQL-003",
        ),
        (
            "sum of a text",
            frontier(visit(), vec![], &[0], vec![Aggregate::Sum(0)]),
            "TRE-SQL-008",
        ),
        (
            "sum of a computed column",
            frontier(computed.clone(), vec![], &[0], vec![Aggregate::Sum(0)]),
            "TRE-SQL-008",
        ),
        (
            "a product with a computed column",
            Frontier {
                arguments: vec![Argument {
                    when: None,
                    quantity: Quantity::Product(0, 0),
                }],
                ..frontier(computed, vec![], &[], vec![Aggregate::Sum(0)])
            },
            "TRE-SQL-008",
        ),
        (
            "the largest text",
            frontier(visit(), vec![], &[0], vec![Aggregate::Max(0)]),
            "TRE-SQL-004",
        ),
        (
            "an argument that is every row",
            Frontier {
                arguments: vec![Argument {
                    when: None,
                    quantity: Quantity::Row,
                }],
                ..frontier(visit(), vec![], &[], vec![Aggregate::Count(0)])
            },
            "TRE-RUN-005",
        ),
        (
            "an argument that there is not",
            frontier(visit(), vec![], &[0], vec![Aggregate::Count(1)]),
            "TRE-RUN-005",
        ),
        (
            "sum of a public column",
            frontier(
                join(visit(), icd(), vec![(2, 0)]),
                vec![],
                &[4],
                vec![Aggregate::Sum(0)],
            ),
            "TRE-SQL-008",
        ),
        (
            "text compared with a number",
            frontier(bad_filter, vec![], &[], count.clone()),
            "TRE-SQL-004",
        ),
        (
            "public join without an equality",
            frontier(join(visit(), icd(), vec![]), vec![], &[], count.clone()),
            "TRE-SQL-013",
        ),
        (
            "people joined like a public table",
            frontier(
                join(visit(), scan("other", "person", &["sex"]), vec![(0, 0)]),
                vec![],
                &[],
                count.clone(),
            ),
            "TRE-SQL-013",
        ),
        (
            "two populations on pid",
            frontier(
                Node::JoinUnit {
                    kind: JoinKind::Inner,
                    condition: None,
                    left: Box::new(visit()),
                    right: Box::new(scan("other", "person", &[])),
                    on: vec![],
                },
                vec![],
                &[],
                count.clone(),
            ),
            "TRE-SQL-013",
        ),
        (
            "public rows only",
            frontier(icd(), vec![], &[], count.clone()),
            "TRE-RUN-005",
        ),
        (
            "no aggregate",
            frontier(visit(), vec![], &[], vec![]),
            "TRE-RUN-005",
        ),
        (
            "a position that does not exist",
            frontier(visit(), vec![Expr::Column(9)], &[], count),
            "TRE-RUN-005",
        ),
    ];
    for (name, frontier, code) in cases {
        let Err(problem) = lineage(&frontier, &grant()) else {
            panic!("{name}: was let through")
        };
        assert_eq!(problem.code.id, code, "{name}: {problem}");
    }
}

#[test]
fn a_union_reads_no_table_about_people_twice() {
    let visit = || scan("liver", "visit", &["sex"]);
    let union = |inputs| frontier(Node::Union { inputs }, vec![], &[], vec![Aggregate::CountRows]);
    let problem = lineage(&union(vec![visit(), visit()]), &grant()).unwrap_err();
    assert_eq!(problem.code.id, "TRE-SQL-013", "{problem}");
    let problem = lineage(&union(vec![visit()]), &grant()).unwrap_err();
    assert_eq!(problem.code.id, "TRE-SQL-013", "{problem}");
}

/// Only what a person's own measures add up to may be summed over people again.
#[test]
fn aggregates_per_person_are_quantities_when_their_arguments_are() {
    let flag = Expr::Compare(
        Comparison::Eq,
        Box::new(Expr::Column(0)),
        Box::new(Expr::Literal(Value::Text("F".into()))),
    );
    let case = |value: Expr, otherwise: Option<Expr>| Expr::Case {
        branches: vec![(flag.clone(), value)],
        otherwise: otherwise.map(Box::new),
    };
    let zero = Expr::Literal(Value::Decimal {
        unscaled: 0,
        scale: 2,
    });
    let cases = [
        ("rows", UnitCall::CountRows, true),
        ("values", UnitCall::CountDistinct(Expr::Column(2)), true),
        ("a measure", UnitCall::Sum(Expr::Column(1)), true),
        ("the largest of a measure", UnitCall::Max(Expr::Column(1)), true),
        (
            "a measure where a condition holds",
            UnitCall::Sum(case(Expr::Column(1), None)),
            true,
        ),
        (
            "a measure or a constant",
            UnitCall::Sum(case(Expr::Column(1), Some(zero))),
            false,
        ),
        (
            "a constant",
            UnitCall::Max(case(Expr::Literal(Value::Int(1)), None)),
            false,
        ),
    ];
    for (case, call, summable) in cases {
        let node = Node::PerUnit {
            input: Box::new(scan("liver", "visit", &["sex", "cost", "icd"])),
            keys: vec![("sex".into(), Expr::Column(0))],
            calls: vec![("x".into(), call)],
        };
        let found = lineage(
            &frontier(node, vec![Expr::Column(0)], &[1], vec![Aggregate::Sum(0)]),
            &grant(),
        );
        assert_eq!(found.is_ok(), summable, "{case}");
        if let Ok(lineage) = found {
            assert!(
                lineage.keys[0].domain.is_some(),
                "a bare key keeps its domain: {case}"
            );
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let mut node = scan("liver", "visit", &["sex"]);
    for _ in 0..100 {
        node = Node::Filter {
            input: Box::new(node),
            predicate: Expr::Literal(Value::Bool(true)),
        };
    }
    let problem = lineage(&frontier(node, vec![], &[], vec![Aggregate::CountRows]), &grant()).unwrap_err();
    assert_eq!(problem.code.id, "TRE-SQL-010");
}
