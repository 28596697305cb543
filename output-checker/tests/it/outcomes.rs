//! The shipped policies on the same cells: what an analyst gets from each, and why.

use output_checker::{Decision, LetOut, reasons};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tre_core::evidence::ValueKind;
use tre_core::policy::Policy;
use tre_core::status::{Rule, Status, StatusCode, disclosure};
use tre_core::types::ColumnType;

use crate::asked::draw_key;
use crate::world::*;

fn shipped(id: &str) -> Policy {
    let text = match id {
        "ndb" => include_str!("../../../policies/sdc/ndb.toml"),
        _ => include_str!("../../../policies/sdc/opensafely.toml"),
    };
    Policy::parse(&id.parse().unwrap(), text).unwrap()
}

/// A group of `people` people with a row each: of them `missing` have no cost, the first `zeros` of the others a cost of
/// zero, the rest costs of `cost`, rising by `step` from one to the next. Costs have one decimal place.
struct Group {
    label: Option<&'static str>,
    people: u32,
    missing: u32,
    zeros: u32,
    cost: i128,
    step: i128,
}

fn rows(groups: &[Group]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut unit = 0;
    for group in groups {
        for i in 0..group.people {
            unit += 1;
            let cost = match (i < group.missing, i < group.missing + group.zeros) {
                (true, _) => None,
                (false, true) => Some(0),
                (false, false) => Some(group.cost + i128::from(i) * group.step),
            };
            rows.push(Row {
                unit,
                keys: vec![group.label.map(str::to_owned)],
                arguments: vec![cost],
            });
        }
    }
    rows
}

fn question(declared: bool) -> Question {
    let values = vec![
        ValueKind::CountRows,
        ValueKind::Count { argument: 0 },
        ValueKind::Sum { argument: 0 },
    ];
    Question::new(
        vec![text_key(declared)],
        vec![ColumnType::Decimal { scale: 1 }],
        values,
    )
}

/// The answer as lines: label, count(*), count(cost), sum(cost), disclosure; above them `refer` where a person decides.
fn answer(question: &Question, rows: &[Row], policy: &Policy) -> Vec<String> {
    let checked = question.ask(rows, policy, &mut ChaCha8Rng::seed_from_u64(1));
    let referred = match checked.decision {
        Decision::Release => None,
        Decision::Refer { .. } => Some("refer".to_owned()),
        Decision::Withhold { .. } => panic!("{:?}", checked.decision),
    };
    let line = |(keys, values): (Keys, Vec<Shown>)| {
        let text = |shown: &Shown| shown.value.map_or("NULL".into(), |value| value.to_string());
        let told = disclosure(
            ["n", "m", "s"]
                .into_iter()
                .zip(values.iter().map(|shown| shown.status)),
        );
        let label = keys[0].clone().unwrap_or("NULL".into());
        format!(
            "{label} {} {} {} {told}",
            text(&values[0]),
            text(&values[1]),
            text(&values[2])
        )
        .trim_end()
        .to_owned()
    };
    let lines = table(checked.treated.batch(), question).into_iter().map(line);
    referred.into_iter().chain(lines).collect()
}

const ORDINARY: Group = Group {
    label: Some("a"),
    people: 43,
    missing: 0,
    zeros: 0,
    cost: 1_000,
    step: 7,
};

/// (case, declared domain c, a, b; groups; answer under NDB; answer under OpenSAFELY)
#[expect(clippy::type_complexity, reason = "a table of cases reads best in place")]
fn cases() -> Vec<(
    &'static str,
    bool,
    Vec<Group>,
    Vec<&'static str>,
    Vec<&'static str>,
)> {
    vec![
        (
            "an ordinary group: the sum keeps four digits, then NDB shows and OpenSAFELY rounds",
            false,
            vec![ORDINARY],
            vec!["a 43 43 49320"],
            vec![
                "refer",
                "a 45 45 49300 n: rounded (base); m: rounded (base); s: rounded (base)",
            ],
        ),
        (
            "nine people: below NDB's minimum, not below OpenSAFELY's",
            false,
            vec![Group {
                people: 9,
                ..ORDINARY
            }],
            vec![],
            vec![
                "refer",
                "a 10 10 9250 n: rounded (base); m: rounded (base); s: rounded (base)",
            ],
        ),
        (
            "a declared domain: nobody in c and b, seven people in a",
            true,
            vec![Group {
                people: 7,
                ..ORDINARY
            }],
            vec![
                "c 0 0 NULL",
                "a NULL NULL NULL n: suppressed (threshold); m: suppressed (threshold); s: suppressed (threshold)",
                "b 0 0 NULL",
            ],
            vec![
                "c NULL NULL NULL n: suppressed (threshold); m: suppressed (threshold); s: suppressed (threshold)",
                "a NULL NULL NULL n: suppressed (threshold); m: suppressed (threshold); s: suppressed (threshold)",
                "b NULL NULL NULL n: suppressed (threshold); m: suppressed (threshold); s: suppressed (threshold)",
            ],
        ),
        (
            "the argument has too few people, the row stays",
            false,
            vec![Group {
                missing: 40,
                ..ORDINARY
            }],
            vec!["a 43 NULL NULL m: suppressed (threshold); s: suppressed (threshold)"],
            vec![
                "refer",
                "a 45 NULL NULL n: rounded (base); m: suppressed (threshold); s: suppressed (threshold)",
            ],
        ),
        (
            "count(*) minus count(cost) would be nine people: too few for NDB, enough for OpenSAFELY",
            false,
            vec![Group {
                missing: 9,
                ..ORDINARY
            }],
            vec!["a 43 NULL NULL m: suppressed (complement); s: suppressed (complement)"],
            vec![
                "refer",
                "a 45 35 40050 n: rounded (base); m: rounded (base); s: rounded (base)",
            ],
        ),
        (
            "nobody has a cost: zero is a count under NDB",
            false,
            vec![Group {
                missing: 43,
                ..ORDINARY
            }],
            vec!["a 43 0 NULL"],
            vec![
                "refer",
                "a 45 NULL NULL n: rounded (base); m: suppressed (threshold); s: suppressed (threshold)",
            ],
        ),
        (
            "everybody has the same cost",
            false,
            vec![Group { step: 0, ..ORDINARY }],
            vec!["a 43 NULL NULL m: suppressed (same-value); s: suppressed (same-value)"],
            vec![
                "refer",
                "a 45 NULL NULL n: rounded (base); m: suppressed (same-value); s: suppressed (same-value)",
            ],
        ),
        (
            "all but three have a cost of zero: the sum is that of three people",
            false,
            vec![Group {
                zeros: 40,
                ..ORDINARY
            }],
            vec!["a 43 NULL NULL m: suppressed (threshold); s: suppressed (threshold)"],
            vec![
                "refer",
                "a 45 NULL NULL n: rounded (base); m: suppressed (threshold); s: suppressed (threshold)",
            ],
        ),
        (
            "all have a cost of zero: told in the same words as three who have not",
            false,
            vec![Group {
                zeros: 43,
                ..ORDINARY
            }],
            vec!["a 43 NULL NULL m: suppressed (threshold); s: suppressed (threshold)"],
            vec![
                "refer",
                "a 45 NULL NULL n: rounded (base); m: suppressed (threshold); s: suppressed (threshold)",
            ],
        ),
        (
            "labels outside of the domain and NULL come last, and only with enough people",
            true,
            vec![
                Group {
                    label: None,
                    people: 12,
                    ..ORDINARY
                },
                Group {
                    label: Some("zz"),
                    people: 4,
                    ..ORDINARY
                },
                Group {
                    label: Some("y"),
                    people: 12,
                    ..ORDINARY
                },
                ORDINARY,
            ],
            vec![
                "c 0 0 NULL",
                "a 43 43 49320",
                "b 0 0 NULL",
                "y 12 12 12460",
                "NULL 12 12 12460",
            ],
            vec![
                "c NULL NULL NULL n: suppressed (threshold); m: suppressed (threshold); s: suppressed (threshold)",
                "a 45 45 49300 n: rounded (base); m: rounded (base); s: rounded (base)",
                "b NULL NULL NULL n: suppressed (threshold); m: suppressed (threshold); s: suppressed (threshold)",
                "y 10 10 12450 n: rounded (base); m: rounded (base); s: rounded (base)",
                "NULL 10 10 12450 n: rounded (base); m: rounded (base); s: rounded (base)",
            ],
        ),
        ("nobody at all, an undeclared key", false, vec![], vec![], vec![]),
        (
            "nobody at all, a declared key",
            true,
            vec![],
            vec!["c 0 0 NULL", "a 0 0 NULL", "b 0 0 NULL"],
            vec![
                "c NULL NULL NULL n: suppressed (threshold); m: suppressed (threshold); s: suppressed (threshold)",
                "a NULL NULL NULL n: suppressed (threshold); m: suppressed (threshold); s: suppressed (threshold)",
                "b NULL NULL NULL n: suppressed (threshold); m: suppressed (threshold); s: suppressed (threshold)",
            ],
        ),
    ]
}

#[test]
fn the_two_policies_decide_by_their_own_numbers() {
    let (ndb, opensafely) = (shipped("ndb"), shipped("opensafely"));
    let mut differ = 0;
    for (case, declared, groups, under_ndb, under_opensafely) in cases() {
        let (question, rows) = (question(declared), rows(&groups));
        assert_eq!(answer(&question, &rows, &ndb), under_ndb, "ndb: {case}");
        assert_eq!(
            answer(&question, &rows, &opensafely),
            under_opensafely,
            "opensafely: {case}"
        );
        differ += usize::from(under_ndb != under_opensafely);
    }
    assert!(differ >= 8);
}

#[test]
fn a_counted_group_of_nobody_and_a_completed_one_are_the_same_bytes() {
    let global = Question::new(
        vec![],
        vec![ColumnType::Int],
        vec![
            ValueKind::CountRows,
            ValueKind::CountUnits,
            ValueKind::Sum { argument: 0 },
        ],
    );
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    // The engine answers an aggregation without GROUP BY over no row with one row; a worker may also answer with none.
    let none = global.base_cells(&[], &mut rng);
    let one = {
        let schema = global.lineage.layout.schema().unwrap();
        let columns = schema.fields().iter().map(|field| match field.data_type() {
            arrow_schema::DataType::Int64 => std::sync::Arc::new(arrow_array::Int64Array::from(vec![0])) as _,
            arrow_schema::DataType::UInt64 => {
                std::sync::Arc::new(arrow_array::UInt64Array::from(vec![0])) as _
            }
            other => {
                let value = if field.is_nullable() { None } else { Some(0) };
                let decimals = arrow_array::Decimal128Array::from(vec![value]).with_data_type(other.clone());
                std::sync::Arc::new(decimals) as arrow_array::ArrayRef
            }
        });
        let batch = arrow_array::RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
        tre_core::evidence::BaseCells::new(global.lineage.layout.clone(), batch).unwrap()
    };
    assert_eq!((none.len(), one.len()), (0, 1));
    for policy in [shipped("ndb"), shipped("opensafely")] {
        let answers = [&none, &one]
            .map(|cells| output_checker::check(cells, &global.lineage, &policy, &draw_key(), LetOut::ByRule));
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].treated.batch().num_rows(), 1);
    }
}

#[test]
fn notices_depend_on_the_question_and_the_policy_alone() {
    let (ndb, opensafely) = (shipped("ndb"), shipped("opensafely"));
    let notices = |question: &Question, policy: &Policy| {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let full = question.ask(&rows(&[ORDINARY]), policy, &mut rng).notices;
        assert_eq!(full, question.ask(&[], policy, &mut rng).notices);
        full
    };
    assert_eq!(
        notices(&question(false), &ndb),
        [
            "rare groups are not shown when fewer than 10 people are in them",
            "sums are rounded to 4 significant digits",
        ]
    );
    assert_eq!(
        notices(&question(true), &opensafely),
        [
            "groups outside of the declared domains, NULL among them, are not shown when fewer than 8 people are in them",
            "sums are rounded to 4 significant digits",
            "counts and sums are rounded to the nearest multiple of 5",
        ]
    );
}

#[test]
fn reasons_name_the_policys_numbers_and_no_cells() {
    let ndb = shipped("ndb");
    let groups = [
        Group {
            missing: 40,
            ..ORDINARY
        },
        Group {
            label: Some("b"),
            missing: 9,
            ..ORDINARY
        },
    ];
    let checked = question(false).ask(&rows(&groups), &ndb, &mut ChaCha8Rng::seed_from_u64(1));
    let lines: Vec<String> = reasons::of_summary(&checked.summary, &ndb)
        .iter()
        .map(|r| format!("{} {}", r.code, r.what))
        .collect();
    assert_eq!(
        lines,
        [
            "TRE-SDC-014 `count(visit.x0)`: 1 of 2 suppressed (complement): it differs from another value of its row, or from the whole group, by fewer than 10 people",
            "TRE-SDC-011 `count(visit.x0)`: 1 of 2 suppressed (threshold): fewer than 10 people stand behind it (for some values of `jis-x-0402`: 20)",
            "TRE-SDC-014 `sum(visit.x0)`: 1 of 2 suppressed (complement): it differs from another value of its row, or from the whole group, by fewer than 10 people",
            "TRE-SDC-011 `sum(visit.x0)`: 1 of 2 suppressed (threshold): fewer than 10 people stand behind it (for some values of `jis-x-0402`: 20)",
        ]
    );
    assert!(reasons::of_status(StatusCode::SHOWN, &ndb).is_none());
}

#[test]
fn every_word_of_a_suppression_is_explained_with_the_policys_numbers() {
    let acro = {
        let text = include_str!("../../../policies/sdc/acro-defaults.toml");
        Policy::parse(&"acro-defaults".parse().unwrap(), text).unwrap()
    };
    // (word, code, what is said)
    let cases = [
        (
            Rule::Threshold,
            "TRE-SDC-011",
            "fewer than 10 people stand behind it",
        ),
        (
            Rule::Dominance,
            "TRE-SDC-017",
            "one or two people make up too much of it (p% rule, p = 10 %; (n,k) rule, n = 2, k = 90 %)",
        ),
        (
            Rule::DegreesOfFreedom,
            "TRE-SDC-018",
            "the policy asks for 10 degrees of freedom for squares and products, which are the people with a value less one",
        ),
        (
            Rule::Level,
            "TRE-SDC-051",
            "with others it adds up to a value of a coarser level, and some of these others are not shown",
        ),
        (
            Rule::ClassDisclosure,
            "TRE-SDC-019",
            "everybody of its group falls into one category",
        ),
        (
            Rule::Tag,
            "TRE-SDC-020",
            "the policy shows nothing of this value of a tagged column",
        ),
        (
            Rule::Differing,
            "TRE-SDC-041",
            "fewer than 10 people may tell it from a value that has left before",
        ),
    ];
    for (rule, code, said) in cases {
        let reason = reasons::of_status(StatusCode::new(Status::Suppressed, rule), &acro).unwrap();
        assert_eq!(reason.code.id, code);
        assert_eq!(reason.what, format!("suppressed ({rule}): {said}"));
    }
}
