//! Answers that do not leave, and whether one person may decide that.
//!
//! What the plan decides is the same in every world. What the data decide is the policy's own line, and documented: that
//! values below zero are among enough people's, and that all people of a line, enough of them, are in one category. The
//! latter does turn on one person who alone is in another category.

use tre_core::codes;
use tre_core::policy::Unanimous;

use super::client::Kept;
use super::compare::Judge;
use super::oracle::{Group, Groups};
use super::promise::unanimous;

/// What is wrong when one answer stays inside and another does not, or each for its own reasons. `worlds`: the groups of
/// every aggregation, in the world and in its neighbour.
pub(super) fn unexplained(
    judges: &[Judge<'_>],
    kept: [Option<&Kept>; 2],
    worlds: [&[&Groups]; 2],
    unit: u32,
) -> Option<String> {
    if kept[0] == kept[1] {
        return None;
    }
    let what = || format!("person {unit}: {kept:?}");
    if kept.iter().flatten().any(|kept| kept.codes.is_empty()) {
        return Some(what());
    }
    let says = |i: usize, code: &str| kept[i].is_some_and(|kept: &Kept| kept.codes.contains(code));
    let mut codes = kept.iter().flatten().flat_map(|kept| &kept.codes);
    let wrong = codes.find(|code| match (says(0, code), says(1, code)) {
        (true, true) | (false, false) => false,
        (in_first, _) => !allowed(judges, code, usize::from(!in_first), worlds, unit),
    });
    wrong.map(|code| format!("{code}, {}", what()))
}

fn allowed(judges: &[Judge<'_>], code: &str, said: usize, worlds: [&[&Groups]; 2], unit: u32) -> bool {
    let nobody = Group::default();
    judges.iter().enumerate().any(|(front, judge)| {
        let groups = worlds[said][front];
        let promise = judge.promise;
        groups.iter().any(|(keys, group)| {
            let Some(minima) = promise.minima(judge.front, keys) else {
                return false;
            };
            if code == codes::SDC_UNANIMOUS.id {
                let mut arguments = (0..judge.front.arguments().len()).map(Some).chain([None]);
                return promise.unanimous == Unanimous::Refer
                    && arguments.any(|x| {
                        unanimous(groups, keys, |group| group.people(x).len())
                            .is_some_and(|people| people >= minima.people)
                    });
            }
            let other = worlds[1 - said][front].get(keys).unwrap_or(&nobody);
            let theirs = [group, other].map(|group| group.people(None));
            code == codes::SDC_NEGATIVE.id
                && promise.refers(judge.front, keys, group)
                && theirs
                    .iter()
                    .any(|people| people.contains(&unit) && people.len() >= minima.people)
        })
    })
}
