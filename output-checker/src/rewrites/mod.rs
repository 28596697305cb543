//! Rewrites: what to ask instead, so that fewer values are suppressed or the question may be asked.
//!
//! They are chosen before any data are read and never look at any: from the plan, the spec's words about the permitted
//! columns (types, bands, prefixes, tags, hierarchies, declared values) and the policy. So whatever the data are, one
//! question under one policy has the same rewrites, and they may be told to everybody who may ask it.
//!
//! Each rewrite is SQL that the desk reads, and the plans that it makes, so that it can be tried. A rewrite that the policy
//! would refer or withhold for the question alone is none.
//!
//! | file | proposes |
//! |---|---|
//! | `keys` | a coarser level of a key, or to leave it out |
//! | `dates` | day → month → quarter → year |
//! | `bands` | neighbouring bands together; bands for a measure |
//! | `codes` | shorter prefixes of ICD-10, YJ, ATC and other codes |
//! | `lookups` | the level of a public table: municipality → prefecture |
//! | `aggregates` | people per value instead of extremes, sums of one sign, values over the same rows |
//! | `selection` | to group by a column instead of selecting by it |

mod aggregates;
mod bands;
mod codes;
mod dates;
mod keys;
mod level;
mod lookups;
mod selection;
mod written;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use tre_core::algebra::{Frontier, resolve};
use tre_core::grant::Grant;
use tre_core::policy::{Policy, RulePack};
use tre_core::status::Rule;

use crate::decision::Decision;
use crate::lineage::{Lineage, lineage};
use crate::question;
use crate::rules::tagged;
use keys::LARGER_GROUPS;

/// Most rewrites that are told against one thing.
pub const MOST: usize = 3;

/// Most changes that are looked at: a server does this for every query, however large it is.
const MOST_EXAMINED: usize = 100;

/// What to ask instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// What to change, in a sentence, SQL in backticks.
    pub what: String,
    /// SQL of the query to be replaced wherever it stands; empty: nothing is.
    pub replace: String,
    /// SQL that takes its place; empty: it is left out.
    pub by: String,
    /// A clause to be added: a join to FROM, a condition to WHERE, a key to GROUP BY; empty: none.
    pub add: String,
    /// The rules, by their words in `disclosure`, against which it can help.
    #[schemars(with = "Vec<String>")]
    pub against: Vec<Rule>,
}

/// A rewrite and the plans that it makes of a question's.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// In SQL.
    pub rewrite: Rewrite,
    /// In the algebra: all frontiers of the question, in their order.
    pub frontiers: Vec<Frontier>,
}

/// What could be proposed for one frontier.
#[derive(Debug)]
struct Candidate {
    what: String,
    replace: String,
    by: String,
    add: String,
    against: &'static [Rule],
    frontier: Frontier,
    /// What it is about: of one thing the mildest change is told first.
    place: String,
    /// How many groups become one, about.
    fewer: u64,
}

/// Rewrites of a question, at most [`MOST`] against any one rule, the mildest first.
///
/// For a question that may be asked these are changes under which fewer values are suppressed; for one that the policy
/// refers or withholds before any data are read, or that has no lineage, changes under which it may be asked.
pub fn propose(question: &[Frontier], grant: &Grant, policy: &Policy) -> Vec<Proposal> {
    let rules = policy.rules();
    let of_each: Vec<Vec<Candidate>> = question
        .iter()
        .map(|frontier| of_frontier(frontier, grant, rules))
        .collect();
    let mut found: Vec<(&Candidate, Vec<Frontier>)> = Vec::new();
    for candidate in of_each.iter().flatten().take(MOST_EXAMINED) {
        if found.iter().any(|(known, _)| known.is_told_as(candidate)) {
            continue;
        }
        // One change of the text changes every part of the query that it is found in.
        let parts = question.iter().zip(&of_each).map(|(frontier, of_one)| {
            let same = of_one.iter().find(|other| other.is_told_as(candidate));
            same.map_or(frontier, |same| &same.frontier).clone()
        });
        let parts: Vec<Frontier> = parts.collect();
        if parts.iter().all(|frontier| may_be_asked(frontier, grant, rules)) {
            found.push((candidate, parts));
        }
    }
    let larger_groups = mildest_of_each_key(&mut found);
    let mut told: Vec<Proposal> = larger_groups.into_iter().map(Candidate::proposal).collect();
    for (candidate, frontiers) in found {
        let alike = |told: &&Proposal| told.rewrite.against == candidate.against;
        if told.iter().filter(alike).count() < MOST {
            told.push(Candidate::proposal((candidate, frontiers)));
        }
    }
    told
}

/// Takes out what makes groups larger: first the mildest change of every key, then the next mildest, from mild to strong.
fn mildest_of_each_key<'c>(
    found: &mut Vec<(&'c Candidate, Vec<Frontier>)>,
) -> Vec<(&'c Candidate, Vec<Frontier>)> {
    let (mut all, others): (Vec<_>, Vec<_>) = std::mem::take(found)
        .into_iter()
        .partition(|(candidate, _)| candidate.against == LARGER_GROUPS);
    *found = others;
    all.sort_by_key(|(candidate, _)| candidate.fewer);
    let mut places: Vec<&str> = Vec::new();
    let (mut mildest, next): (Vec<_>, Vec<_>) = all.into_iter().partition(|(candidate, _)| {
        let is_first = !places.contains(&candidate.place.as_str());
        places.push(&candidate.place);
        is_first
    });
    mildest.extend(next);
    mildest.truncate(MOST);
    mildest.sort_by_key(|(candidate, _)| candidate.fewer);
    mildest
}

fn of_frontier(frontier: &Frontier, grant: &Grant, rules: &RulePack) -> Vec<Candidate> {
    let Ok(relation) = resolve(frontier, grant) else {
        return vec![];
    };
    let is_released = |frontier: &Frontier| may_be_asked(frontier, grant, rules);
    let mut candidates = keys::candidates(frontier, &relation, grant);
    candidates.extend(selection::candidates(frontier, grant, rules));
    if !candidates
        .iter()
        .any(|candidate| is_released(&candidate.frontier))
    {
        candidates.extend(keys::fewer_keys(frontier, &relation, grant, is_released));
    }
    candidates.extend(aggregates::candidates(frontier, &relation, grant, rules));
    candidates
}

/// Whether the policy neither refers nor withholds a question for itself, and can show something of it.
fn may_be_asked(frontier: &Frontier, grant: &Grant, rules: &RulePack) -> bool {
    let Ok(lineage) = lineage(frontier, grant) else {
        return false;
    };
    question::decide(&lineage, rules) == Decision::Release && !shows_nothing(&lineage, rules)
}

/// Whether a key has a tag of which the policy lists no value.
fn shows_nothing(lineage: &Lineage, rules: &RulePack) -> bool {
    let mut none_listed = rules.tagged.iter().filter(|rule| tagged::lists_no_value(rule));
    none_listed.any(|rule| lineage.keys.iter().any(|key| key.tag.as_ref() == Some(&rule.tag)))
}

impl Candidate {
    fn is_told_as(&self, other: &Candidate) -> bool {
        (&self.replace, &self.by, &self.add) == (&other.replace, &other.by, &other.add)
    }

    fn proposal((candidate, frontiers): (&Candidate, Vec<Frontier>)) -> Proposal {
        Proposal {
            rewrite: Rewrite {
                what: candidate.what.clone(),
                replace: candidate.replace.clone(),
                by: candidate.by.clone(),
                add: candidate.add.clone(),
                against: candidate.against.to_vec(),
            },
            frontiers,
        }
    }
}

#[cfg(test)]
mod tests;
