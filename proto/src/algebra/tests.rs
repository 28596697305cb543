#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use tre_core::algebra::{
    Arithmetic, Comparison, DatePart, Expr, Function, JoinKind, Node, Ordering, UnitCall,
};
use tre_core::types::{ColumnType, Value};

use super::*;

fn column(i: usize) -> Box<Expr> {
    Box::new(Expr::Column(i))
}

/// One of everything that the algebra can say.
fn everything() -> Frontier {
    let scan = |table: &str| Node::Scan {
        dataset: "liver".parse().unwrap(),
        table: table.parse().unwrap(),
        columns: vec!["a".parse().unwrap(), "b".parse().unwrap()],
    };
    let values = vec![
        Value::Null(Decimal { scale: 2 }),
        Value::Int(-5),
        Value::Decimal {
            unscaled: -(1 << 100),
            scale: 4,
        },
        Value::Bool(true),
        Value::Text("é'".into()),
        Value::Date(-1),
        Value::Timestamp(i64::MIN),
    ];
    let mut predicates = vec![
        Expr::InList(column(0), values),
        Expr::Like {
            input: column(0),
            pattern: "a%".into(),
            case_insensitive: true,
        },
        Expr::IsNull(column(1)),
        Expr::Not(column(1)),
        Expr::Or(column(1), column(0)),
    ];
    for op in [
        Comparison::Eq,
        Comparison::NotEq,
        Comparison::Lt,
        Comparison::LtEq,
        Comparison::Gt,
        Comparison::GtEq,
    ] {
        predicates.push(Expr::Compare(op, column(0), column(1)));
    }
    let predicate = predicates
        .into_iter()
        .reduce(|a, b| Expr::And(Box::new(a), Box::new(b)))
        .unwrap();
    let mut computed = Vec::new();
    use Arithmetic::{Add, Divide, Modulo, Multiply, Subtract};
    for op in [Add, Subtract, Multiply, Divide, Modulo] {
        computed.push(("x".to_owned(), Expr::Arithmetic(op, column(0), column(1))));
    }
    use ColumnType::{Bool, Date, Decimal, Int, Text, Timestamp};
    for ty in [Int, Decimal { scale: 18 }, Bool, Text, Date, Timestamp] {
        computed.push(("y".to_owned(), Expr::Cast(column(0), ty)));
    }
    for part in [DatePart::Year, DatePart::Quarter, DatePart::Month, DatePart::Day] {
        computed.push((
            "z".to_owned(),
            Expr::Call(Function::Extract(part), vec![Expr::Column(0)]),
        ));
        computed.push((
            "z".to_owned(),
            Expr::Call(Function::Truncate(part), vec![Expr::Column(0)]),
        ));
    }
    for function in [
        Function::Lower,
        Function::Upper,
        Function::Trim,
        Function::CharLength,
        Function::Substr,
    ] {
        computed.push((
            "f".to_owned(),
            Expr::Call(function, vec![Expr::Column(0), Expr::Column(1)]),
        ));
    }
    computed.push((
        "case".to_owned(),
        Expr::Case {
            branches: vec![
                (Expr::Column(0), Expr::Column(1)),
                (Expr::Column(1), Expr::Column(0)),
            ],
            otherwise: Some(column(1)),
        },
    ));
    let x = Expr::Column(0);
    let calls = vec![
        ("n".to_owned(), UnitCall::CountRows),
        ("n".to_owned(), UnitCall::Count(x.clone())),
        ("n".to_owned(), UnitCall::CountDistinct(x.clone())),
        ("n".to_owned(), UnitCall::Sum(x.clone())),
        ("n".to_owned(), UnitCall::Min(x.clone())),
        ("n".to_owned(), UnitCall::Max(x.clone())),
    ];
    let order = [(true, false), (false, true)].map(|(descending, nulls_first)| Ordering {
        by: x.clone(),
        descending,
        nulls_first,
    });
    let numbered = Node::Number {
        input: Box::new(Node::PerUnit {
            input: Box::new(scan("lab")),
            keys: vec![("k".to_owned(), x.clone())],
            calls,
        }),
        partition: vec![x.clone()],
        order: order.to_vec(),
    };
    let semi = |kind, left, right| Node::JoinUnit {
        kind,
        left: Box::new(left),
        right: Box::new(right),
        on: vec![],
        condition: None,
    };
    let visits = Node::Union {
        inputs: vec![
            semi(JoinKind::Semi, scan("visit"), numbered),
            semi(JoinKind::Anti, scan("stay"), scan("death")),
        ],
    };
    let joined = Node::JoinPublic {
        kind: JoinKind::Left,
        left: Box::new(Node::JoinUnit {
            kind: JoinKind::Inner,
            left: Box::new(visits),
            right: Box::new(Node::Project {
                input: Box::new(Node::Filter {
                    input: Box::new(scan("drug")),
                    predicate,
                }),
                columns: computed,
            }),
            on: vec![(1, 2)],
            condition: Some(Expr::Column(5)),
        }),
        right: Box::new(scan("concept")),
        on: vec![(0, 1), (1, 0)],
        condition: None,
    };
    Frontier {
        input: joined,
        keys: vec![("k".into(), Expr::Column(3))],
        aggregates: vec![
            Aggregate::CountRows,
            Aggregate::CountUnits,
            Aggregate::Count(2),
            Aggregate::CountUnitsOf(0),
            Aggregate::Sum(1),
            Aggregate::Comoment {
                x: 1,
                y: 0,
                products: 2,
            },
            Aggregate::Min(1),
            Aggregate::Max(2),
        ],
        arguments: vec![
            Argument {
                when: Some(Expr::Column(0)),
                quantity: Quantity::Row,
            },
            Argument {
                when: None,
                quantity: Quantity::Column(4),
            },
            Argument {
                when: Some(Expr::Column(3)),
                quantity: Quantity::Product(4, 2),
            },
        ],
    }
}

fn from_bytes(bytes: &[u8]) -> Option<Frontier> {
    wire::Frontier::decode(bytes)
        .ok()
        .and_then(|message| decode_frontier(message).ok())
}

#[test]
fn everything_round_trips() {
    let frontier = everything();
    assert_eq!(from_bytes(&to_bytes(&frontier)), Some(frontier));
}

#[test]
fn no_truncation_decodes_to_the_whole_and_no_flipped_byte_panics() {
    let frontier = everything();
    let bytes = to_bytes(&frontier);
    for length in 0..bytes.len() {
        assert_ne!(
            from_bytes(&bytes[..length]),
            Some(frontier.clone()),
            "cut at {length}"
        );
    }
    for at in 0..bytes.len() {
        for flip in [0x01, 0x10, 0x55, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            let _ = from_bytes(&changed);
        }
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let mut expr = Expr::Column(0);
    for _ in 0..500 {
        expr = Expr::Not(Box::new(expr));
    }
    let frontier = Frontier {
        keys: vec![("k".into(), expr)],
        ..everything()
    };
    assert!(wire::Frontier::decode(to_bytes(&frontier).as_slice()).is_err());
}

#[test]
fn what_the_types_cannot_say_is_refused() {
    let empty = wire::Frontier::default();
    assert_eq!(decode_frontier(empty), Err(DecodeError::Missing("input")));
    let unknown = wire::Compare {
        op: 99,
        left: None,
        right: None,
    };
    let expr = wire::Expr {
        expr: Some(wire::expr::Expr::Compare(Box::new(unknown))),
    };
    assert_eq!(decode_expr(expr), Err(DecodeError::Unknown("comparison")));
    let path = wire::Scan {
        dataset: "../vault".into(),
        table: "t".into(),
        columns: vec![],
    };
    assert!(matches!(decode_scan(path), Err(DecodeError::Name(_))));
    let long = wire::Frontier {
        keys: vec![wire::NamedExpr {
            name: "x".repeat(MAX_BYTES),
            expr: None,
        }],
        ..Default::default()
    };
    assert!(matches!(decode_frontier(long), Err(DecodeError::TooLong(_))));
}
