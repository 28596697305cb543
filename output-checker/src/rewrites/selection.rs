//! Proposals for conditions by a column whose values the policy judges one by one: to group by it instead.
//!
//! Below the aggregation a condition hides which value people have; as a key the value stands beside their number, and the
//! policy's class of it is known.

use tre_core::algebra::{Comparison, Expr, Frontier, Node};
use tre_core::grant::Grant;
use tre_core::policy::{RulePack, TaggedRule};
use tre_core::types::Value;

use super::keys::LARGER_GROUPS;
use super::level::{self, Level};
use super::{Candidate, written};

/// Conditions at the top of the input that name values of such a column, as keys.
pub(super) fn candidates(frontier: &Frontier, grant: &Grant, rules: &RulePack) -> Vec<Candidate> {
    let Node::Filter { input, predicate } = &frontier.input else {
        return vec![];
    };
    let mut conjuncts = Vec::new();
    conjuncts_of(predicate, &mut conjuncts);
    let mut candidates = Vec::new();
    for (at, condition) in conjuncts.iter().enumerate() {
        let Some((position, values)) = named_values(condition) else {
            continue;
        };
        let Level::Stored(table, meta) = level::of(&Expr::Column(position), input, grant) else {
            continue;
        };
        let judged = |rule: &TaggedRule| Some(&rule.tag) == meta.tag.as_ref();
        if !rules.tagged.iter().any(judged) {
            continue;
        }
        let name = written::stored(&table.table, &meta.name, input);
        let replace = match values.as_slice() {
            [one] => format!("{name} = {one}"),
            several => format!("{name} IN ({})", several.join(", ")),
        };
        let others = conjuncts.iter().enumerate().filter(|(other, _)| *other != at);
        let others = others.map(|(_, condition)| (*condition).clone());
        let rest = others.reduce(|all, one| Expr::And(Box::new(all), Box::new(one)));
        let mut changed = frontier.clone();
        changed.input = match rest {
            None => (**input).clone(),
            Some(predicate) => Node::Filter {
                input: input.clone(),
                predicate,
            },
        };
        let is_key = |(_, key): &(String, Expr)| *key == Expr::Column(position);
        if !changed.keys.iter().any(is_key) {
            changed.keys.push((name.clone(), Expr::Column(position)));
        }
        candidates.push(Candidate {
            what: format!("group by `{name}` instead of selecting by it: leave `{replace}` out of WHERE"),
            replace,
            by: String::new(),
            add: format!("GROUP BY {name}"),
            against: LARGER_GROUPS,
            frontier: changed,
            place: name,
            fewer: 1,
        });
    }
    candidates
}

/// The parts of a condition that all have to be true.
fn conjuncts_of<'e>(predicate: &'e Expr, found: &mut Vec<&'e Expr>) {
    if let Expr::And(one, other) = predicate {
        conjuncts_of(one, found);
        conjuncts_of(other, found);
    } else {
        found.push(predicate);
    }
}

/// The column that a condition compares with constants, and these as SQL; none where a constant is not written here.
fn named_values(condition: &Expr) -> Option<(usize, Vec<String>)> {
    let (column, values) = if let Expr::InList(inner, values) = condition {
        (inner.as_ref(), values.iter().collect())
    } else if let Expr::Compare(Comparison::Eq, one, other) = condition {
        if let Expr::Literal(value) = other.as_ref() {
            (one.as_ref(), vec![value])
        } else if let Expr::Literal(value) = one.as_ref() {
            (other.as_ref(), vec![value])
        } else {
            return None;
        }
    } else {
        return None;
    };
    let Expr::Column(position) = column else {
        return None;
    };
    let is_written = |value: &&Value| !matches!(value, Value::Null(_) | Value::Date(_) | Value::Timestamp(_));
    let written = values.iter().all(is_written);
    written.then(|| (*position, values.into_iter().map(written::literal).collect()))
}
