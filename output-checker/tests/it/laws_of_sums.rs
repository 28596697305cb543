//! Laws of sums: whose values can be computed from one. Written from the definitions, without the checker's code.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use tre_core::evidence::ValueKind;
use tre_core::policy::Policy;
use tre_core::status::Rule;

use crate::laws::*;
use crate::parameters::*;
use crate::people::*;
use crate::world::*;

/// Behind a shown sum there are two different values; a shown sum has its count beside it; and counts of one argument are
/// shown together.
pub(crate) fn sums_state_nobodys_value(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    let values = &question.lineage.layout.values;
    for (keys, row) in ask(question, world, policy, rng) {
        let rows = group(world, &keys);
        for (kind, shown) in values.iter().zip(&row) {
            let ValueKind::Sum { argument } = kind else {
                continue;
            };
            let differ: BTreeSet<i128> = rows.iter().filter_map(|row| row.arguments[*argument]).collect();
            if !shown.is_suppressed() && differ.len() == 1 {
                return Some(format!(
                    "group {keys:?}: everybody has {differ:?} behind {kind:?}"
                ));
            }
            let digits = shown.value.unwrap_or(0).to_string();
            if digits.trim_matches(['-', '0']).len() > reference.digits as usize {
                return Some(format!("group {keys:?}: {kind:?} is {digits}"));
            }
        }
        for (a, shown_a) in values.iter().zip(&row) {
            for (b, shown_b) in values.iter().zip(&row) {
                // Only what contributions say may suppress the sum and leave the count.
                let alone = a.is_magnitude() && !b.is_magnitude() && says_of_sums(shown_a.status.rule());
                let alone = alone || a.is_extreme() || b.is_extreme();
                if a.argument() == b.argument()
                    && shown_a.is_suppressed()
                    && !shown_b.is_suppressed()
                    && !alone
                {
                    return Some(format!("group {keys:?}: {a:?} and {b:?} are not shown together"));
                }
            }
        }
    }
    None
}

/// The rules that may suppress a sum and leave its count.
fn says_of_sums(rule: Rule) -> bool {
    matches!(rule, Rule::Dominance | Rule::DegreesOfFreedom)
}

/// The rows behind every sum that is shown, with its argument.
fn shown_sums<'a>(
    question: &Question,
    world: &'a [Row],
    policy: &Policy,
    rng: &mut ChaCha8Rng,
) -> Vec<(Keys, usize, Vec<&'a Row>)> {
    let mut sums = Vec::new();
    for (keys, row) in ask(question, world, policy, rng) {
        for (kind, shown) in question.lineage.layout.values.iter().zip(&row) {
            if let ValueKind::Sum { argument } = kind
                && !shown.is_suppressed()
            {
                sums.push((keys.clone(), *argument, group(world, &keys)));
            }
        }
    }
    sums
}

/// Whoever contributes to a shown sum takes their own contribution off, and what is left is at least a tenth more than
/// any other's contribution; no contribution is more than 60 % of it; and no value is below zero, for then neither
/// means anything.
pub(crate) fn nobody_computes_a_contribution(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    _: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    for (keys, argument, rows) in shown_sums(question, world, policy, rng) {
        let mut of_person: BTreeMap<u32, i128> = BTreeMap::new();
        for row in &rows {
            let Some(value) = row.arguments[argument] else {
                continue;
            };
            if value < 0 {
                return Some(format!("group {keys:?}: {value} is in a sum"));
            }
            *of_person.entry(row.unit).or_default() += value;
        }
        let sum: i128 = of_person.values().sum();
        for (knows, own) in &of_person {
            for (other, part) in of_person.iter().filter(|(other, _)| *other != knows) {
                if 10 * (sum - own) < 11 * part {
                    return Some(format!(
                        "group {keys:?}: {knows} knows {part} of {other} from {sum}"
                    ));
                }
            }
            if 10 * own > 6 * sum {
                return Some(format!("group {keys:?}: {own} of {knows} is most of {sum}"));
            }
        }
    }
    None
}

/// Of those behind a shown sum no more than half contribute the same, or enough people something else.
pub(crate) fn sums_are_not_of_one_value_but_for_few(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    for (keys, argument, rows) in shown_sums(question, world, policy, rng) {
        let rows: Vec<Row> = rows.into_iter().cloned().collect();
        let (unlike, present) = (
            people_unlike(&rows, argument),
            people(&rows, Some(argument)).len(),
        );
        if 2 * unlike < present && unlike < reference.minimum as usize {
            return Some(format!("group {keys:?}: {unlike} of {present} differ"));
        }
    }
    None
}

/// More people than the degrees of freedom that are asked for have a value behind a shown sum, or nobody.
pub(crate) fn sums_have_degrees_of_freedom(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    for (keys, argument, rows) in shown_sums(question, world, policy, rng) {
        let behind = people(rows, Some(argument)).len();
        if (1..=reference.degrees as usize).contains(&behind) {
            return Some(format!("group {keys:?}: a sum of {behind} people"));
        }
    }
    None
}
