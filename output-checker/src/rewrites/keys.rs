//! Proposals for the keys of a question: coarser values, or leaving one out.

use std::cmp::Reverse;
use std::fmt;

use tre_core::algebra::{Expr, Frontier, Node, Relation, type_of};
use tre_core::grant::Grant;
use tre_core::status::Rule;

use super::level::{self, Level};
use super::{Candidate, bands, codes, dates, lookups, written};

/// What larger groups help against.
pub(super) const LARGER_GROUPS: &[Rule] = &[
    Rule::Threshold,
    Rule::RareLabel,
    Rule::Level,
    Rule::SameValue,
    Rule::Complement,
    Rule::ClassDisclosure,
    Rule::Dominance,
    Rule::DegreesOfFreedom,
    Rule::Zero,
    Rule::Tag,
];

/// Keys that are looked at, the first ones: a question with more is one too many keys, not one too fine.
const MOST_KEYS: usize = 12;

/// The column that a key is computed from: its position in the input, and how SQL names it.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) position: usize,
    pub(super) sql: String,
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}

/// A coarser level of a key.
#[derive(Debug)]
pub(super) struct Step {
    /// `by quarter`.
    pub(super) words: String,
    /// What to group by.
    pub(super) sql: String,
    /// A table to join first: the clause, and the input with it.
    pub(super) join: Option<(String, Node)>,
    /// What to group by, over the input or that with the join.
    pub(super) expr: Expr,
    /// How many groups become one, about.
    pub(super) fewer: u64,
}

/// A key's coarser levels.
fn steps(level: Level<'_>, base: &Base, input: &Node, grant: &Grant) -> Vec<Step> {
    let mut steps = dates::steps(level, base);
    steps.extend(bands::steps(level, base));
    steps.extend(codes::steps(level, base));
    steps.extend(lookups::steps(level, base, input, grant));
    steps
}

/// Every key at every coarser level, and without each.
pub(super) fn candidates(frontier: &Frontier, relation: &Relation, grant: &Grant) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (place, (name, key)) in frontier.keys.iter().enumerate().take(MOST_KEYS) {
        let level = level::of(key, &frontier.input, grant);
        let base = base(key, name, frontier, relation);
        let replace = written_key(key, name, frontier, relation);
        let steps = base
            .iter()
            .flat_map(|base| steps(level, base, &frontier.input, grant));
        candidates.extend(steps.map(|step| coarser(frontier, place, &replace, step)));
        let of_type = type_of(key, &relation.columns).ok();
        candidates.push(Candidate {
            what: format!("leave out `{replace}`"),
            by: String::new(),
            add: String::new(),
            against: LARGER_GROUPS,
            frontier: without(frontier, &[place]),
            place: replace.clone(),
            replace,
            fewer: level::about(level, of_type).max(2),
        });
    }
    candidates
}

/// The column that a key is computed from in a way that is known.
fn base(key: &Expr, name: &str, frontier: &Frontier, relation: &Relation) -> Option<Base> {
    let position = level::base(key)?;
    let column = relation.columns.get(position)?;
    let sql = if let Expr::Column(_) = key {
        written::key(name, true, &frontier.input)
    } else {
        written::column(&column.name, name, &frontier.input)
    };
    Some(Base { position, sql })
}

/// A key as SQL, in our own words where it is an expression of a known level.
fn written_key(key: &Expr, name: &str, frontier: &Frontier, relation: &Relation) -> String {
    let known = base(key, name, frontier, relation).and_then(|base| written::expression(key, &base.sql));
    let is_column = matches!(key, Expr::Column(_));
    known.unwrap_or_else(|| written::key(name, is_column, &frontier.input))
}

/// As few keys fewer as lead to a release: those that make most groups first. None where no one key too many is the matter.
pub(super) fn fewer_keys(
    frontier: &Frontier,
    relation: &Relation,
    grant: &Grant,
    is_released: impl Fn(&Frontier) -> bool,
) -> Option<Candidate> {
    let size = |key: &Expr| {
        let level = level::of(key, &frontier.input, grant);
        level::about(level, type_of(key, &relation.columns).ok())
    };
    let mut order: Vec<usize> = (0..frontier.keys.len()).collect();
    order.sort_by_key(|place| Reverse(frontier.keys.get(*place).map(|(_, key)| size(key))));
    let left_out = (2..=order.len())
        .filter_map(|count| order.get(..count))
        .find(|places| is_released(&without(frontier, places)))?;
    let mut left_out = left_out.to_vec();
    left_out.sort_unstable();
    let keys = left_out.iter().filter_map(|place| frontier.keys.get(*place));
    let names: Vec<String> = keys
        .map(|(name, key)| written_key(key, name, frontier, relation))
        .collect();
    let names = names.join(", ");
    Some(Candidate {
        what: format!("leave out `{names}`"),
        by: String::new(),
        add: String::new(),
        against: LARGER_GROUPS,
        frontier: without(frontier, &left_out),
        place: names.clone(),
        replace: names,
        fewer: u64::MAX,
    })
}

fn coarser(frontier: &Frontier, place: usize, replace: &str, step: Step) -> Candidate {
    let mut changed = frontier.clone();
    if let Some((_, key)) = changed.keys.get_mut(place) {
        *key = step.expr;
    }
    let add = match step.join {
        Some((sql, joined)) => {
            changed.input = joined;
            sql
        }
        None => String::new(),
    };
    let first = if add.is_empty() {
        String::new()
    } else {
        format!("add `{add}` and ")
    };
    Candidate {
        what: format!(
            "{first}group {}: `{}` instead of `{replace}`",
            step.words, step.sql
        ),
        replace: replace.to_owned(),
        by: step.sql,
        add,
        against: LARGER_GROUPS,
        frontier: changed,
        place: replace.to_owned(),
        fewer: step.fewer.max(2),
    }
}

/// A frontier without some of its keys.
fn without(frontier: &Frontier, places: &[usize]) -> Frontier {
    let keys = frontier.keys.iter().enumerate();
    let kept = keys.filter(|(place, _)| !places.contains(place));
    Frontier {
        keys: kept.map(|(_, key)| key.clone()).collect(),
        ..frontier.clone()
    }
}
