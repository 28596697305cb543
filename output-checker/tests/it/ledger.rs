//! Answers one after the other, compared with what has left: each case is a story of two or three questions.

use std::collections::BTreeMap;

use output_checker::ledger::{Asked, Compared, Head, Ledger, compare, overtaken};
use output_checker::lineage::KeyLineage;
use output_checker::{Decision, LetOut};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tre_core::algebra::{Aggregate, Argument, Comparison, Expr, Frontier, Node, Quantity};
use tre_core::evidence::ValueKind;
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::QueryId;
use tre_core::ledger::Answer;
use tre_core::manifest::ColumnMeta;
use tre_core::permit::ExitName;
use tre_core::policy::Policy;
use tre_core::sketch::SketchShape;
use tre_core::status::{Rule, Status};
use tre_core::types::{ColumnType, Value};

use super::world::{Question, Row, Shown, sketcher, table, text_key};
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
enum Where {
    Nothing,
    Age(i64),
    Diagnosis(&'static str),
}

/// A question to people, one row each, in groups by their place or in one.
#[derive(Debug, Clone)]
struct Ask {
    people: std::ops::Range<u32>,
    condition: Where,
    by_place: bool,
    values: Vec<ValueKind>,
    /// Those of them whose value is another than else.
    changed: std::ops::Range<u32>,
}

fn count(people: std::ops::Range<u32>, condition: Where) -> Ask {
    Ask {
        people,
        condition,
        by_place: false,
        values: vec![ValueKind::CountUnits],
        changed: 0..0,
    }
}

/// Somebody who asks one question after the other.
struct Story {
    ledger: Ledger,
    policy: Policy,
    user: &'static str,
    at: &'static str,
    /// The tag of the places.
    place: Option<&'static str>,
}

impl Story {
    fn new(replace: &[(&str, &str)]) -> Self {
        Story {
            ledger: Ledger::default(),
            policy: policy(replace),
            user: "alice",
            at: "2026-03-01T12:00:00Z",
            place: None,
        }
    }

    /// Compares without remembering.
    fn compare(&self, asks: &[Ask]) -> Compared {
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
    fn ask_all(&mut self, asks: &[Ask]) -> Vec<Shown> {
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

    fn ask(&mut self, ask: Ask) -> Vec<Shown> {
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

fn status(shown: &[Shown]) -> Vec<(Option<i128>, Status, Rule)> {
    shown
        .iter()
        .map(|shown| (shown.value, shown.status.status(), shown.status.rule()))
        .collect()
}

const SHOWN: (Status, Rule) = (Status::Shown, Rule::None);
const SNAPPED: (Status, Rule) = (Status::Snapped, Rule::Differing);
const DIFFERING: (Status, Rule) = (Status::Suppressed, Rule::Differing);

fn one(value: impl Into<Option<i128>>, (status, rule): (Status, Rule)) -> Vec<(Option<i128>, Status, Rule)> {
    vec![(value.into(), status, rule)]
}

#[test]
fn a_count_without_one_person_is_answered_with_what_has_left() {
    // (case, first, second, what is seen of the second)
    let cases = [
        ("one person fewer", 0..100, 0..99, one(100, SNAPPED)),
        ("one person more", 0..100, 0..101, one(100, SNAPPED)),
        ("the most that is too near", 0..100, 9..100, one(100, SNAPPED)),
        ("in and out", 0..100, 4..104, one(100, SNAPPED)),
        (
            "nobody: not to be told from somebody",
            0..100,
            0..100,
            one(100, SNAPPED),
        ),
        ("enough people", 0..100, 10..100, one(90, SHOWN)),
        ("as many others", 0..100, 100..200, one(100, SHOWN)),
        ("what was suppressed stays so", 0..9, 0..10, one(None, DIFFERING)),
        ("nobody at all", 0..5, 5..5, one(0, SHOWN)),
    ];
    for (case, first, second, seen) in cases {
        let mut story = Story::new(&[]);
        story.ask(count(first, Where::Nothing));
        let answer = story.ask(count(second, Where::Age(40)));
        assert_eq!(status(&answer), seen, "{case}");
    }
}

#[test]
fn with_the_ledger_empty_the_same_question_leaks() {
    // The control of the test above: nothing but memory makes the difference.
    let alone = Story::new(&[]).ask(count(0..99, Where::Age(40)));
    assert_eq!(status(&alone), one(99, SHOWN));
}

#[test]
fn the_policy_says_what_becomes_of_it() {
    for (word, seen) in [("suppress", Some(one(None, DIFFERING))), ("refer", None)] {
        let words = ("differing = \"snap\"", format!("differing = \"{word}\""));
        let mut story = Story::new(&[(words.0, &words.1)]);
        story.ask(count(0..100, Where::Nothing));
        let answer = story.ask(count(0..99, Where::Age(40)));
        assert_eq!(status(&answer), seen.unwrap_or_default(), "{word}");
        let same = story.ask(count(0..100, Where::Age(41)));
        assert_eq!(status(&same), one(100, SHOWN), "{word}: exactly the same people");
    }
}

#[test]
fn the_same_question_again_is_answered_as_before() {
    let mut story = Story::new(&[]);
    for _ in 0..3 {
        assert_eq!(status(&story.ask(count(0..50, Where::Age(40)))), one(50, SHOWN));
    }
}

#[test]
fn two_frontiers_of_one_answer_are_compared_too() {
    let mut story = Story::new(&[]);
    let both = story.ask_all(&[count(0..60, Where::Nothing), count(0..59, Where::Age(40))]);
    assert_eq!(status(&both), [one(60, SHOWN), one(60, SNAPPED)].concat());
}

#[test]
fn groups_of_one_key_are_other_rows_and_a_group_is_compared_with_a_total() {
    let by_place = |people: std::ops::Range<u32>, condition| Ask {
        by_place: true,
        ..count(people, condition)
    };
    let mut story = Story::new(&[]);
    assert_eq!(
        status(&story.ask(by_place(0..40, Where::Nothing))),
        [one(20, SHOWN), one(20, SHOWN)].concat()
    );
    // Person 39 is in group b; a is as it was, under another question.
    assert_eq!(
        status(&story.ask(by_place(0..39, Where::Age(40)))),
        [one(20, SNAPPED), one(20, SNAPPED)].concat()
    );
}

#[test]
fn sums_snap_to_sums_and_counts_to_counts() {
    let values = vec![ValueKind::CountRows, ValueKind::Sum { argument: 0 }];
    let ask = |people, condition| Ask {
        values: values.clone(),
        ..count(people, condition)
    };
    let mut story = Story::new(&[]);
    let first = story.ask(ask(0..70, Where::Nothing));
    let second = story.ask(ask(0..69, Where::Age(40)));
    let pairs = first.iter().zip(&second);
    for (first, second) in pairs {
        assert_eq!(
            (first.value, Status::Snapped),
            (second.value, second.status.status())
        );
    }
    // Of a count of rows and one of people in one answer, each is snapped to its own.
    let rows_and_people = |people, condition| Ask {
        values: vec![ValueKind::CountUnits, ValueKind::CountRows],
        ..count(people, condition)
    };
    let mut story = Story::new(&[]);
    story.ask(rows_and_people(0..70, Where::Nothing));
    let both = story.ask(rows_and_people(0..69, Where::Age(40)));
    assert_eq!(status(&both), [one(70, SNAPPED), one(70, SNAPPED)].concat());
    // A sum of which only the count has left has nothing to be snapped to, and nothing to be subtracted from.
    let mut story = Story::new(&[]);
    story.ask(count(0..70, Where::Nothing));
    let both = story.ask(ask(0..69, Where::Age(40)));
    assert_eq!(both.first().unwrap().status.status(), Status::Snapped);
    assert_eq!(both.last().unwrap().status.status(), Status::Shown);
}

#[test]
fn of_the_same_people_a_sum_is_shown_when_enough_of_them_give_something_else() {
    // (case, whose value is another, whether the second sum is shown)
    let cases = [
        ("nobody: not to be told from somebody", 0..0, false),
        ("one person", 5..6, false),
        ("the most that are too few", 0..9, false),
        ("nearly everybody, as in another year", 0..60, true),
        ("everybody", 0..70, true),
    ];
    for (case, changed, shown) in cases {
        let sum = |changed, condition| Ask {
            values: vec![ValueKind::CountUnits, ValueKind::Sum { argument: 0 }],
            changed,
            ..count(0..70, condition)
        };
        let mut story = Story::new(&[]);
        let first = status(&story.ask(sum(0..0, Where::Nothing)));
        let more = i128::try_from(changed.len()).unwrap();
        let second = status(&story.ask(sum(changed, Where::Age(40))));
        let snapped = (first[1].0, Status::Snapped, Rule::Differing);
        let other = (first[1].0.map(|sum| sum + more), Status::Shown, Rule::None);
        assert_eq!(second[1], if shown { other } else { snapped }, "{case}");
        assert_eq!(
            second[0],
            (Some(70), Status::Snapped, Rule::Differing),
            "{case}: one number of people"
        );
    }
}

#[test]
fn a_smallest_value_is_not_snapped_to_a_largest() {
    let extremes = |people, condition| Ask {
        values: vec![ValueKind::Max { argument: 0 }, ValueKind::Min { argument: 0 }],
        ..count(people, condition)
    };
    let mut story = Story::new(&[]);
    story.ask(extremes(0..140, Where::Nothing));
    let second = status(&story.ask(extremes(0..139, Where::Age(40))));
    assert_eq!(second, [one(7, SNAPPED), one(1, SNAPPED)].concat());
}

#[test]
fn where_a_tag_needs_more_people_values_differ_by_as_many() {
    let classes = (
        "{ minimum = 20, values = [] }",
        "{ minimum = 20, values = [\"a\", \"b\"] }",
    );
    for (tag, seen) in [(None, one(28, SHOWN)), (Some("jis-x-0402"), one(40, SNAPPED))] {
        let mut story = Story::new(&[classes]);
        let ask = |people: std::ops::Range<u32>, condition| Ask {
            by_place: true,
            ..count(people, condition)
        };
        story.place = tag;
        story.ask(ask(0..80, Where::Nothing));
        // Of each place 12 fewer.
        let second = status(&story.ask(ask(0..56, Where::Age(40))));
        assert_eq!(second, [seen.clone(), seen].concat(), "{tag:?}");
    }
}

#[test]
fn the_same_people_under_another_sensitive_condition_are_not_shown() {
    let mut story = Story::new(&[]);
    story.ask(count(0..30, Where::Age(40)));
    let all_have_it = story.ask(count(0..30, Where::Diagnosis("B20")));
    assert_eq!(status(&all_have_it), one(None, DIFFERING));
    // Where the policy names no tag, a diagnosis is a condition like any other.
    let mut story = Story::new(&[("sensitive = [\"icd10\"]", "sensitive = []")]);
    story.ask(count(0..30, Where::Age(40)));
    assert_eq!(
        status(&story.ask(count(0..30, Where::Diagnosis("B20")))),
        one(30, SNAPPED)
    );
}

#[test]
fn changed_answers_are_counted_and_capped() {
    let cap = ("refusals_per_user    = 50", "refusals_per_user = 2");
    let mut story = Story::new(&[cap]);
    story.ask(count(0..100, Where::Nothing));
    assert_eq!(story.ask(count(0..99, Where::Age(1))).len(), 1);
    assert_eq!(
        story.ask(count(0..100, Where::Age(2))).len(),
        1,
        "says nothing, does not count"
    );
    assert_eq!(story.ask(count(0..98, Where::Age(3))).len(), 1);
    assert!(
        story.ask(count(500..900, Where::Age(4))).is_empty(),
        "whatever is asked"
    );
    story.user = "bo";
    assert_eq!(story.ask(count(500..900, Where::Age(4))).len(), 1);
    (story.user, story.at) = ("alice", "2026-03-02T12:00:00Z");
    assert_eq!(
        story.ask(count(1500..1900, Where::Age(5))).len(),
        1,
        "a day later"
    );
    // Referred answers count as well, and leave nothing else behind.
    let mut story = Story::new(&[cap, ("differing = \"snap\"", "differing = \"refer\"")]);
    story.ask(count(0..100, Where::Nothing));
    for _ in 0..2 {
        assert!(story.ask(count(0..99, Where::Age(1))).is_empty());
    }
    assert!(story.ask(count(500..900, Where::Age(4))).is_empty(), "capped");
    let per_project = ("refusals_per_project = 200", "refusals_per_project = 0");
    assert!(
        Story::new(&[per_project])
            .ask(count(0..50, Where::Nothing))
            .is_empty()
    );
}

#[test]
fn a_frozen_answer_is_overtaken_by_what_leaves_in_the_meantime() {
    let mut story = Story::new(&[]);
    story.ask(count(0..300, Where::Nothing));
    let frozen = story.compare(&[count(0..100, Where::Age(1))]).answer;
    let seen = story.ledger.answers();
    let shape = story.policy.rules().sketch().unwrap();
    let sketchers = BTreeMap::from([("clinic".parse().unwrap(), sketcher(shape))]);
    let check = |story: &Story, frozen: &Answer| {
        overtaken(&story.ledger, &sketchers, frozen, seen).map_err(|problem| problem.code.id)
    };
    assert_eq!(check(&story, &frozen), Ok(()));
    story.ask(count(0..100, Where::Age(1)));
    assert_eq!(check(&story, &frozen), Ok(()), "the same answer in a session");
    let near = story.compare(&[count(0..299, Where::Age(1))]).answer;
    assert_eq!(check(&story, &near), Ok(()), "what was snapped has left before");
    let mut other = Story::new(&[]);
    other.ask(count(0..300, Where::Nothing));
    other.ask(count(0..99, Where::Age(2)));
    assert_eq!(check(&other, &frozen), Err("TRE-SDC-044"));
}

/// Whatever is asked, one after the other: no two values that were shown as they are lie over people who differ by one to
/// nine, and a value that was snapped is one that has left.
#[test]
fn no_two_values_that_leave_isolate_fewer_than_the_minimum() {
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    for round in 0..60 {
        let mut story = Story::new(&[]);
        let mut left: Vec<(std::ops::Range<u32>, i128)> = vec![];
        let mut snapped = 0;
        for _ in 0..12 {
            let start = rng.random_range(0..15);
            let people = start..start + rng.random_range(0..40);
            let age = Where::Age([1, 2, 3, 4, 5].choose(&mut rng).copied().unwrap());
            for shown in story.ask(count(people.clone(), age)) {
                match (shown.status.status(), shown.value) {
                    (Status::Shown, Some(value)) => left.push((people.clone(), value)),
                    (Status::Snapped, value) => {
                        snapped += 1;
                        assert!(
                            left.iter().any(|(_, known)| Some(*known) == value),
                            "round {round}"
                        );
                    }
                    _ => assert!(shown.is_suppressed()),
                }
            }
        }
        for (i, (a, _)) in left.iter().enumerate().filter(|(_, (a, _))| !a.is_empty()) {
            for (b, _) in left.iter().skip(i + 1).filter(|(b, _)| !b.is_empty()) {
                let apart = a.clone().filter(|unit| !b.contains(unit)).count()
                    + b.clone().filter(|unit| !a.contains(unit)).count();
                assert!(apart == 0 || apart >= 10, "round {round}: {a:?} and {b:?}");
            }
        }
        assert!(left.len() + snapped > 0, "round {round} shows something");
    }
}
