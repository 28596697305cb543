//! Laws of treated tables, over random worlds against brute force.
//!
//! A law is a function from worlds to the first violation found. With all rules on none may be found in thousands of
//! worlds; `rules_off` shows that each law fails without the rule that keeps it.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tre_core::evidence::ValueKind;
use tre_core::policy::{Policy, Showing};
use tre_core::status::{Rule, Status};

use crate::laws_of_lines::*;
use crate::laws_of_rows::*;
use crate::laws_of_sums::*;
use crate::parameters::*;
use crate::people::*;
use crate::world::*;

const WORLDS: u64 = 2_000;

/// A law: the first violation in this world, in words.
pub(crate) type Law = fn(&Question, &[Row], &Policy, Parameters, &mut ChaCha8Rng) -> Option<String>;

pub(crate) fn first_violation(law: Law, parameters: Parameters, reference: Parameters) -> Option<String> {
    let policy = parameters.policy();
    for seed in 0..WORLDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let question = Question::random(&mut rng);
        let world = question.random_world(&mut rng);
        if let Some(violation) = law(&question, &world, &policy, reference, &mut rng) {
            return Some(format!(
                "world {seed}: {violation}\n{:?}\n{world:#?}",
                question.lineage.layout
            ));
        }
    }
    None
}

#[track_caller]
fn holds(law: Law, parameters: Parameters) {
    if let Some(violation) = first_violation(law, parameters, parameters) {
        panic!("{violation}");
    }
}

pub(crate) fn ask(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    rng: &mut ChaCha8Rng,
) -> Vec<(Keys, Vec<Shown>)> {
    table(question.ask(world, policy, rng).treated.batch(), question)
}

pub(crate) fn group<'a>(world: &'a [Row], keys: &Keys) -> Vec<&'a Row> {
    world.iter().filter(|row| &row.keys == keys).collect()
}

/// Promise 2. Take one person away, or give them other rows: every difference lies in a row of enough people, that
/// person among them; and where a number turns into another number, enough people stand behind that very number.
///
/// Whose row: those with a row in the group, if the answer says how many these are or the label is not declared; else
/// those whom one of the asked arguments counts.
pub(crate) fn a_difference_has_enough_people(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    let before = question.ask(world, policy, rng);
    let units: BTreeSet<u32> = world.iter().map(|row| row.unit).collect();
    for person in units.into_iter().flat_map(|unit| [(unit, false), (unit, true)]) {
        let mut other: Vec<Row> = world.iter().filter(|row| row.unit != person.0).cloned().collect();
        if person.1 {
            other.extend(question.rows_of(person.0, rng));
        }
        let after = question.ask(&other, policy, rng);
        if before.notices != after.notices {
            return Some(format!("notices differ without {person:?}"));
        }
        let is_in_enough = || {
            let mut rows = world.iter().chain(&other).filter(|row| row.unit == person.0);
            rows.any(|row| {
                let worlds = [world, &other].map(|world| world.iter().collect::<Vec<&Row>>());
                worlds
                    .iter()
                    .any(|rows| line_has_enough(rows, &row.keys, person.0, reference))
            })
        };
        if before.decision != after.decision && !(may_refer(policy) && is_in_enough()) {
            return Some(format!("decision differs without {person:?}"));
        }
        let tables = [&before, &after].map(|checked| {
            table(checked.treated.batch(), question)
                .into_iter()
                .collect::<BTreeMap<Keys, Vec<Shown>>>()
        });
        let keys: BTreeSet<&Keys> = tables.iter().flat_map(|table| table.keys()).collect();
        for keys in keys {
            for i in 0..question.lineage.layout.values.len() {
                let shown = [0, 1].map(|w: usize| tables[w].get(keys).map(|row| row[i]));
                if shown[0] == shown[1] {
                    continue;
                }
                let worlds = [group(world, keys), group(&other, keys)];
                // What is said of a line, and then also which of its rows stand in the answer, is said of its people.
                let lines = [world, &other].map(|world| world.iter().collect::<Vec<&Row>>());
                let of_line = |i: usize| shown[i].is_none_or(|cell: Shown| cell.is_suppressed());
                let line = reference.class != "show"
                    && (of_line(0) || of_line(1))
                    && lines
                        .iter()
                        .any(|rows| line_has_enough(rows, keys, person.0, reference));
                if !line && !is_allowed(question, &worlds, i, shown, person.0, reference) {
                    return Some(format!("person {person:?}, group {keys:?}, value {i}: {shown:?}"));
                }
            }
        }
    }
    None
}

/// Whether the policy lets people decide by what is in the cells.
fn may_refer(policy: &Policy) -> bool {
    use tre_core::policy::{DominanceRule, Unanimous, Undecided};
    let negative = matches!(
        policy.rules().dominance,
        DominanceRule::Rules {
            negative: Undecided::Refer,
            ..
        }
    );
    negative || policy.rules().class.unanimous == Unanimous::Refer
}

/// Whether enough people, this one among them, are in a line through these keys, along one of them; the group itself is
/// in every such line.
fn line_has_enough(rows: &[&Row], keys: &Keys, person: u32, reference: Parameters) -> bool {
    let lines = (0..keys.len().max(1)).map(|along| {
        let others = |row: &&&Row| {
            let mut pairs = row.keys.iter().zip(keys).enumerate();
            pairs.all(|(i, (a, b))| i == along || a == b)
        };
        people(rows.iter().filter(others).copied(), None)
    });
    lines
        .into_iter()
        .any(|people| people.len() >= reference.minimum as usize && people.contains(&person))
}

fn is_allowed(
    question: &Question,
    worlds: &[Vec<&Row>; 2],
    value: usize,
    shown: [Option<Shown>; 2],
    person: u32,
    reference: Parameters,
) -> bool {
    let values = &question.lineage.layout.values;
    let argument = values[value].argument();
    let enough =
        |people: BTreeSet<u32>| people.len() >= reference.minimum as usize && people.contains(&person);
    let row_has_enough = worlds
        .iter()
        .any(|rows| enough(people(rows.iter().copied(), None)));
    let numbers = shown.map(|cell| cell.filter(|cell| !cell.is_suppressed()));
    let value_has_enough = worlds
        .iter()
        .any(|rows| enough(people(rows.iter().copied(), argument)));
    // The line that a policy draws which shows zeros: between nobody, as 0 or no sum, and too few.
    let nobody = |w: usize| numbers[w].is_some_and(|cell| cell.value.is_none_or(|value| value == 0));
    let suppressed = |w: usize| shown[w].is_some_and(Shown::is_suppressed);
    let zero = reference.zero == "show" && ((nobody(0) && suppressed(1)) || (nobody(1) && suppressed(0)));
    match numbers {
        [Some(_), Some(_)] => row_has_enough && value_has_enough,
        _ => row_has_enough || zero,
    }
}

/// No two shown values of a row differ by few people.
pub(crate) fn no_difference_of_two_isolates(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    for (keys, row) in ask(question, world, policy, rng) {
        let rows = group(world, &keys);
        let shown: Vec<_> = question
            .lineage
            .layout
            .values
            .iter()
            .zip(&row)
            .filter(|(_, v)| !v.is_suppressed())
            .collect();
        for (a, _) in &shown {
            for (b, _) in &shown {
                let apart = people_without(rows.iter().copied(), a.argument(), b.argument()).len();
                if apart > 0 && apart < reference.complement as usize {
                    return Some(format!("group {keys:?}: {a:?} and {b:?} differ by {apart}"));
                }
                let (ValueKind::Sum { argument: i }, ValueKind::Sum { argument: j }) = (a, b) else {
                    continue;
                };
                let types = &question.lineage.layout.arguments;
                let apart =
                    people_differing(&rows.iter().map(|row| (*row).clone()).collect::<Vec<_>>(), *i, *j);
                if types[*i] == types[*j] && !apart.is_empty() && apart.len() < reference.complement as usize
                {
                    return Some(format!("group {keys:?}: {a:?} and {b:?} differ by {apart:?}"));
                }
            }
        }
    }
    None
}

/// Enough people stand behind a shown value, or nobody where zeros are shown.
pub(crate) fn shown_values_have_enough_people(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    for (keys, row) in ask(question, world, policy, rng) {
        let rows = group(world, &keys);
        for (kind, shown) in question
            .lineage
            .layout
            .values
            .iter()
            .zip(&row)
            .filter(|(_, v)| !v.is_suppressed())
        {
            let behind = match kind {
                ValueKind::Sum { argument } => people_not_zero(rows.iter().copied(), *argument).len(),
                _ => people(rows.iter().copied(), kind.argument()).len(),
            };
            let zero = behind == 0 && reference.zero == "show";
            if behind < reference.minimum as usize && !zero {
                return Some(format!(
                    "group {keys:?}: {behind} people behind {kind:?}, {shown:?}"
                ));
            }
        }
    }
    None
}

/// A shown extreme is the value of enough people, and the other side of a shown value is nobody or enough people.
pub(crate) fn extremes_are_shared_and_rests_are_cells(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    let values = &question.lineage.layout.values;
    for (keys, row) in ask(question, world, policy, rng) {
        let rows = group(world, &keys);
        for (kind, shown) in values
            .iter()
            .zip(&row)
            .filter(|(_, shown)| !shown.is_suppressed())
        {
            let rest = people_without(rows.iter().copied(), None, kind.argument()).len();
            if rest > 0 && rest < reference.complement as usize {
                return Some(format!("group {keys:?}: {rest} people are not in {kind:?}"));
            }
            if let (ValueKind::Min { argument } | ValueKind::Max { argument }, Some(value)) =
                (kind, shown.value)
            {
                let share = rows.iter().filter(|row| row.arguments[*argument] == Some(value));
                let share = people(share.copied(), None).len();
                if share < reference.minimum as usize {
                    return Some(format!(
                        "group {keys:?}: {share} people share {kind:?}, {shown:?}"
                    ));
                }
            }
        }
    }
    None
}

/// A suppressed value is NULL and is called suppressed; `threshold` is all that is said of a value of too few.
fn statuses_say_no_more_than_the_policy(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    let rounds = !matches!(policy.rules().rounding, tre_core::policy::Rounding::None {});
    for (keys, row) in ask(question, world, policy, rng) {
        let rows = group(world, &keys);
        for (kind, shown) in question.lineage.layout.values.iter().zip(&row) {
            let behind = people(rows.iter().copied(), kind.argument()).len();
            let few = behind < reference.minimum as usize;
            let expected = match (shown.is_suppressed(), rounds && !kind.is_extreme()) {
                (true, _) => Status::Suppressed,
                (false, true) => Status::Rounded,
                (false, false) => Status::Shown,
            };
            let told = shown.status.rule();
            if shown.status.status() != expected
                || (shown.is_suppressed() && shown.value.is_some())
                || (shown.is_suppressed() && few && !says_nothing_of_few(told))
            {
                return Some(format!("group {keys:?}, {kind:?}, {behind} people: {shown:?}"));
            }
        }
    }
    None
}

/// Words that are told of a value of too few: `class-disclosure` is about its line, and then of all values of that.
fn says_nothing_of_few(rule: Rule) -> bool {
    matches!(rule, Rule::Threshold | Rule::ClassDisclosure)
}

const LAWS: [(&str, Law); 11] = [
    (
        "extremes are shared and rests are cells",
        extremes_are_shared_and_rests_are_cells,
    ),
    ("a difference has enough people", a_difference_has_enough_people),
    ("no difference of two isolates", no_difference_of_two_isolates),
    ("shown values have enough people", shown_values_have_enough_people),
    ("labels have enough people", labels_have_enough_people),
    ("rows say nothing", rows_say_nothing),
    ("lines tell nobody's category", lines_tell_nobodys_category),
    ("sums state nobody's value", sums_state_nobodys_value),
    (
        "nobody can compute another's contribution",
        nobody_computes_a_contribution,
    ),
    ("sums have degrees of freedom", sums_have_degrees_of_freedom),
    (
        "statuses say no more than the policy",
        statuses_say_no_more_than_the_policy,
    ),
];

#[test]
fn all_laws_hold_with_all_rules_on() {
    for (_, law) in LAWS {
        holds(law, STRICT);
    }
}

#[test]
fn all_laws_hold_where_zeros_are_shown() {
    for (_, law) in LAWS {
        holds(
            law,
            Parameters {
                zero: "show",
                ..STRICT
            },
        );
    }
}

#[test]
fn a_referral_turns_on_enough_people_only() {
    let dominance: &'static str = Box::leak(STRICT.dominance.replace("suppress", "refer").into_boxed_str());
    for zero in ["show", "suppress"] {
        for (class, dominance) in [
            ("refer", STRICT.dominance),
            ("show", dominance),
            ("refer", dominance),
        ] {
            holds(
                a_difference_has_enough_people,
                Parameters {
                    class,
                    dominance,
                    zero,
                    ..STRICT
                },
            );
        }
    }
}

#[test]
fn differences_have_enough_people_where_places_have_their_own_minima() {
    holds(
        a_difference_has_enough_people,
        Parameters { place_a: 6, ..STRICT },
    );
}

#[test]
fn all_laws_hold_with_rounding() {
    for sums in ["true", "false"] {
        let rounding = if sums == "true" {
            "method = \"nearest\"\nbase = 5\nsums = true"
        } else {
            "method = \"nearest\"\nbase = 2\nsums = false"
        };
        holds(a_difference_has_enough_people, Parameters { rounding, ..STRICT });
        if sums == "true" {
            holds(
                statuses_say_no_more_than_the_policy,
                Parameters { rounding, ..STRICT },
            );
        }
    }
}

#[test]
fn without_completion_rare_labels_keep_the_laws() {
    // Absent rows then say that a group has too few people, nobody included, which is what `threshold` says.
    for (_, law) in LAWS {
        holds(
            law,
            Parameters {
                complete_up_to: 0,
                ..STRICT
            },
        );
    }
}

#[test]
fn rounded_counts_are_multiples_whether_or_not_rounding_changed_them() {
    let policy = Parameters {
        rounding: "method = \"nearest\"\nbase = 5\nsums = true",
        ..STRICT
    }
    .policy();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut seen = 0;
    for _ in 0..300 {
        let question = Question::random(&mut rng);
        let world = question.random_world(&mut rng);
        for (_, row) in ask(&question, &world, &policy, &mut rng) {
            for (kind, shown) in question.lineage.layout.values.iter().zip(row) {
                let unit = match kind {
                    ValueKind::Sum { argument } if !is_int(&question, *argument) => 50,
                    _ => 5,
                };
                assert_eq!(shown.value.unwrap_or(0) % unit, 0, "{kind:?} {shown:?}");
                seen += usize::from(shown.value.is_some());
            }
        }
    }
    assert!(seen > 200, "{seen} values seen");
}

fn is_int(question: &Question, argument: usize) -> bool {
    question.lineage.layout.arguments[argument] == tre_core::types::ColumnType::Int
}

#[test]
fn the_bytes_do_not_depend_on_the_order_of_base_cells() {
    let policy = Parameters {
        zero: "show",
        ..STRICT
    }
    .policy();
    assert_eq!(policy.rules().units.zero, Showing::Show);
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..300 {
        let question = Question::random(&mut rng);
        let world = question.random_world(&mut rng);
        let one = question.ask(&world, &policy, &mut rng);
        let mut shuffled = world.clone();
        rand::seq::SliceRandom::shuffle(shuffled.as_mut_slice(), &mut rng);
        let other = question.ask(&shuffled, &policy, &mut rng);
        assert_eq!(one, other);
        let _: u8 = rng.random();
    }
}
