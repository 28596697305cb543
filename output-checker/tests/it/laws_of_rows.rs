//! Laws of rows: which stand in an answer, and in what order.

use rand_chacha::ChaCha8Rng;
use tre_core::policy::Policy;

use crate::laws::*;
use crate::parameters::*;
use crate::people::*;
use crate::world::*;

/// Enough people carry a label that is not declared.
pub(crate) fn labels_have_enough_people(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    for (keys, _) in ask(question, world, policy, rng) {
        let carry = people(group(world, &keys), None).len();
        if !question.declares(&keys, reference.complete_up_to as usize) && carry < reference.labels as usize {
            return Some(format!("{carry} people carry {keys:?}"));
        }
    }
    None
}

/// Whether a combination of declared values stands in the answer does not depend on data; and the order of rows is that
/// of the keys.
pub(crate) fn rows_say_nothing(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    let rows: Vec<Keys> = ask(question, world, policy, rng)
        .into_iter()
        .map(|(keys, _)| keys)
        .collect();
    let declared = |rows: &[Keys]| -> Vec<Keys> {
        let declares = |keys: &&Keys| question.declares(keys, reference.complete_up_to as usize);
        rows.iter().filter(declares).cloned().collect()
    };
    let nobody: Vec<Keys> = ask(question, &[], policy, rng)
        .into_iter()
        .map(|(keys, _)| keys)
        .collect();
    if declared(&rows) != declared(&nobody) {
        return Some(format!("rows {rows:?}, without anybody {nobody:?}"));
    }
    let places: Vec<Vec<(usize, String)>> = rows.iter().map(|keys| place(question, keys)).collect();
    (!places.is_sorted()).then(|| format!("rows are in the order {rows:?}"))
}

/// Where a row belongs, told in another way than the checker's: declared values by their index, then others, then NULL.
fn place(question: &Question, keys: &Keys) -> Vec<(usize, String)> {
    let of_key = |(key, value): (&output_checker::lineage::KeyLineage, &Option<String>)| {
        let Some(text) = value else {
            return (usize::MAX, String::new());
        };
        let domain = key.domain.iter().flatten();
        let index = domain.into_iter().position(|declared| match declared {
            tre_core::types::Value::Text(declared) => declared == text,
            tre_core::types::Value::Int(declared) => &declared.to_string() == text,
            _ => false,
        });
        match (index, text.parse::<i64>()) {
            (Some(index), _) => (index, String::new()),
            (None, Ok(number)) => (usize::MAX - 1, format!("{:09}", number + 1_000)),
            (None, Err(_)) => (usize::MAX - 1, text.clone()),
        }
    };
    question.lineage.keys.iter().zip(keys).map(of_key).collect()
}

/// Behind a value of place `a` stand as many people as its class asks for, or nobody; of `c` and others nothing is shown.
pub(crate) fn places_have_their_own_minima(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    if question.lineage.keys.is_empty() {
        return None;
    }
    for (keys, row) in ask(question, world, policy, rng) {
        for (kind, shown) in question.lineage.layout.values.iter().zip(&row) {
            let behind = people(group(world, &keys), kind.argument()).len();
            let least = match keys[0].as_deref() {
                Some("a") => reference.place_a,
                Some("b") => reference.minimum,
                _ if shown.is_suppressed() => continue,
                _ => return Some(format!("{keys:?}: {shown:?} is of no class")),
            };
            if !shown.is_suppressed() && behind < least as usize {
                return Some(format!("{keys:?}: {kind:?} of {behind} people is shown"));
            }
        }
    }
    None
}
