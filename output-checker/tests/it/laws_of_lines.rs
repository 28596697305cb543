//! Laws of lines: the groups that one key divides. Written from the definitions, without the checker's code.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use tre_core::policy::Policy;
use tre_core::status::Rule;

use crate::laws::*;
use crate::parameters::*;
use crate::world::*;

/// Where all people of a line are in one category, none of the line's values is shown, and all that is said of them is
/// the same word: so that it is not said which category it is. That word is told of lines with enough people only.
pub(crate) fn lines_tell_nobodys_category(
    question: &Question,
    world: &[Row],
    policy: &Policy,
    reference: Parameters,
    rng: &mut ChaCha8Rng,
) -> Option<String> {
    let table = ask(question, world, policy, rng);
    let mut told_of_unanimous = BTreeSet::new();
    for along in 0..question.lineage.keys.len() {
        let line_of = |keys: &Keys| {
            let mut others = keys.clone();
            others[along] = None;
            others
        };
        let mut lines: BTreeMap<Keys, BTreeMap<Option<String>, BTreeSet<u32>>> = BTreeMap::new();
        for row in world.iter().filter(|row| row.keys[along].is_some()) {
            let categories = lines.entry(line_of(&row.keys)).or_default();
            categories
                .entry(row.keys[along].clone())
                .or_default()
                .insert(row.unit);
        }
        for (line, categories) in lines.iter().filter(|(_, categories)| categories.len() == 1) {
            let people = categories.values().next().unwrap().len();
            let rows = table
                .iter()
                .filter(|(keys, _)| keys[along].is_some() && &line_of(keys) == line);
            let mut words: BTreeSet<String> = BTreeSet::new();
            for (keys, shown) in rows {
                if let Some(shown) = shown.iter().find(|shown| !shown.is_suppressed()) {
                    return Some(format!("{keys:?} in a line of one category: {shown:?}"));
                }
                // With two keys another line may have its say about a row.
                words.extend(shown.iter().map(|cell| cell.status.rule().to_string()));
                if question.lineage.keys.len() == 1 && words.len() > 1 {
                    return Some(format!("{keys:?} in a line of one category is called {words:?}"));
                }
                if people >= reference.minimum as usize {
                    told_of_unanimous.insert(keys.clone());
                }
            }
        }
    }
    // Of an argument's people the same word may be told where the rows are divided.
    let of_rows = table
        .iter()
        .filter(|(_, shown)| {
            shown
                .iter()
                .all(|cell| cell.status.rule() == Rule::ClassDisclosure)
        })
        .filter(|(_, shown)| shown.len() == question.lineage.layout.values.len())
        .filter(|_| {
            question
                .lineage
                .layout
                .values
                .iter()
                .any(|kind| kind.argument().is_none())
        })
        .map(|(keys, _)| keys.clone())
        .collect::<BTreeSet<_>>();
    let more: Vec<_> = of_rows.difference(&told_of_unanimous).collect();
    (!more.is_empty())
        .then(|| format!("{more:?} are said to be in a line of one category with enough people"))
}
