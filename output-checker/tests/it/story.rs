//! Somebody who asks one question after the other, with a ledger that remembers the answers.

use std::collections::BTreeMap;

use output_checker::ledger::{Asked, Compared, Head, Ledger, compare};
use output_checker::lineage::KeyLineage;
use output_checker::{Decision, LetOut};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tre_core::algebra::{Aggregate, Argument, Comparison, Expr, Frontier, Node, Quantity};
use tre_core::evidence::ValueKind;
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::QueryId;
use tre_core::manifest::ColumnMeta;
use tre_core::permit::ExitName;
use tre_core::policy::Policy;
use tre_core::sketch::SketchShape;
use tre_core::status::{Rule, Status};
use tre_core::types::{ColumnType, Value};

use super::sets::sketcher;
use super::world::{Question, Row, Shown, table, text_key};
use crate::asked::draw_key;

/// The shipped policy `ndb` with some of its text replaced.
fn policy(replace: &[(&str, &str)]) -> Policy {
    let mut text = include_str!("../../../policies/sdc/ndb.toml").to_owned();
    for (from, to) in replace {
        assert!(text.contains(from), "nothing to replace: {from}");
        text = text.replace(from, to);
    }
    Policy::parse(&"ndb".parse().unwrap(), &text).unwrap()
}

/// What a condition reads, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Nothing,
    Age(i64),
    Diagnosis(&'static str),
}

/// A question to people, one row each, in groups by their place or in one.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) people: std::ops::Range<u32>,
    pub(crate) condition: Where,
    pub(crate) by_place: bool,
    pub(crate) values: Vec<ValueKind>,
    /// Those of them whose value is another than else.
    pub(crate) changed: std::ops::Range<u32>,
}

pub(crate) fn count(people: std::ops::Range<u32>, condition: Where) -> Ask {
    Ask {
        people,
        condition,
        by_place: false,
        values: vec![ValueKind::CountUnits],
        changed: 0..0,
    }
}

/// Somebody who asks one question after the other.
pub(crate) struct Story {
    pub(crate) ledger: Ledger,
    pub(crate) policy: Policy,
    pub(crate) user: &'static str,
    pub(crate) at: &'static str,
    /// The tag of the places.
    pub(crate) place: Option<&'static str>,
}

impl Story {
    pub(crate) fn new(replace: &[(&str, &str)]) -> Self {
        Story {
            ledger: Ledger::default(),
            policy: policy(replace),
            user: "alice",
            at: "2026-03-01T12:00:00Z",
            place: None,
        }
    }

    /// Compares without remembering.
    pub(crate) fn compare(&self, asks: &[Ask]) -> Compared {
        let shape = self.policy.rules().sketch().unwrap();
        let asked: Vec<_> = asks.iter().map(|ask| self.run(ask, shape)).collect();
        let frontiers = asked.iter().map(|(frontier, question, cells)| Asked {
            frontier,
            lineage: &question.lineage,
            cells,
            checked: output_checker::check(
                cells,
                &question.lineage,
                &self.policy,
                &draw_key(),
                LetOut::ByRule,
            ),
        });
        let population = "clinic".parse().unwrap();
        let sketchers = BTreeMap::from([(population, sketcher(shape))]);
        let head = Head {
            query: QueryId::from_random([1; 10]),
            project: "liver".parse().unwrap(),
            user: self.user.parse().unwrap(),
            exit: ExitName::View,
            at: self.at.parse().unwrap(),
        };
        compare(
            &self.ledger,
            &sketchers,
            head,
            frontiers.collect(),
            &grant(),
            &self.policy,
        )
        .unwrap()
    }

    fn run(&self, ask: &Ask, shape: SketchShape) -> (Frontier, Question, tre_core::evidence::BaseCells) {
        let keys = if ask.by_place {
            vec![KeyLineage {
                tag: self.place.map(str::to_owned),
                ..text_key(false)
            }]
        } else {
            vec![]
        };
        let mut question = Question::new(keys, vec![ColumnType::Int], ask.values.clone());
        question.lineage.layout.sketch = Some(shape);
        let rows: Vec<Row> = ask
            .people
            .clone()
            .map(|unit| Row {
                unit,
                keys: ask
                    .by_place
                    .then(|| Some(if unit % 2 == 0 { "a" } else { "b" }.to_owned()))
                    .into_iter()
                    .collect(),
                arguments: vec![Some(
                    i128::from(unit % 7) + if ask.changed.contains(&unit) { 2 } else { 1 },
                )],
            })
            .collect();
        let cells = question.base_cells(&rows, &mut ChaCha8Rng::seed_from_u64(3));
        (frontier(ask), question, cells)
    }

    /// Asks, remembers, and tells what was seen: the values of all frontiers, or nothing where it did not leave.
    pub(crate) fn ask_all(&mut self, asks: &[Ask]) -> Vec<Shown> {
        let compared = self.compare(asks);
        let released = compared
            .checked
            .iter()
            .all(|checked| checked.decision == Decision::Release);
        if !released {
            compared
                .refusal()
                .iter()
                .for_each(|refusal| self.ledger.add(refusal));
            return vec![];
        }
        self.ledger.add(&compared.answer);
        let seen = asks.iter().zip(&compared.checked).flat_map(|(ask, checked)| {
            let (_, question, _) = self.run(ask, self.policy.rules().sketch().unwrap());
            let rows = table(checked.treated.batch(), &question);
            rows.into_iter().flat_map(|(_, values)| values)
        });
        seen.collect()
    }

    pub(crate) fn ask(&mut self, ask: Ask) -> Vec<Shown> {
        self.ask_all(&[ask])
    }
}

fn columns() -> [&'static str; 4] {
    ["place", "age", "icd", "x0"]
}

fn grant() -> Grant {
    let meta = |name: &&str| ColumnMeta {
        name: name.parse().unwrap(),
        column_type: if ["age", "x0"].contains(name) {
            ColumnType::Int
        } else {
            ColumnType::Text
        },
        description: String::new(),
        entity: None,
        measure: None,
        domain: None,
        tag: (*name == "icd").then(|| "icd10".to_owned()),
        hierarchy: None,
        generalised: String::new(),
    };
    Grant {
        project: "liver".parse().unwrap(),
        tables: vec![GrantedTable {
            version: "liver@aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            table: "visit".parse().unwrap(),
            description: String::new(),
            public: false,
            population: "clinic".parse().unwrap(),
            cuts: vec![0],
            stored: columns().iter().map(meta).collect(),
            columns: columns().iter().map(|name| name.parse().unwrap()).collect(),
            row_filter: None,
            files: vec![],
        }],
    }
}

fn frontier(ask: &Ask) -> Frontier {
    let scan = Node::Scan {
        dataset: "liver".parse().unwrap(),
        table: "visit".parse().unwrap(),
        columns: columns().iter().map(|name| name.parse().unwrap()).collect(),
    };
    let equals = |column: usize, value: Value| Node::Filter {
        input: Box::new(scan.clone()),
        predicate: Expr::Compare(
            Comparison::Eq,
            Box::new(Expr::Column(column)),
            Box::new(Expr::Literal(value)),
        ),
    };
    Frontier {
        input: match ask.condition {
            Where::Nothing => scan,
            Where::Age(age) => equals(1, Value::Int(age)),
            Where::Diagnosis(code) => equals(2, Value::Text(code.to_owned())),
        },
        keys: if ask.by_place {
            vec![("place".to_owned(), Expr::Column(0))]
        } else {
            vec![]
        },
        arguments: vec![Argument {
            when: None,
            quantity: Quantity::Column(3),
        }],
        aggregates: vec![Aggregate::CountUnits],
    }
}

pub(crate) fn status(shown: &[Shown]) -> Vec<(Option<i128>, Status, Rule)> {
    shown
        .iter()
        .map(|shown| (shown.value, shown.status.status(), shown.status.rule()))
        .collect()
}

pub(crate) const SHOWN: (Status, Rule) = (Status::Shown, Rule::None);
pub(crate) const SNAPPED: (Status, Rule) = (Status::Snapped, Rule::Differing);
pub(crate) const DIFFERING: (Status, Rule) = (Status::Suppressed, Rule::Differing);

pub(crate) fn one(
    value: impl Into<Option<i128>>,
    (status, rule): (Status, Rule),
) -> Vec<(Option<i128>, Status, Rule)> {
    vec![(value.into(), status, rule)]
}
