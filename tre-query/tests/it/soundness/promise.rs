//! What a policy promises of values, labels and whole answers, as this test reads it: every rule again, over the rows
//! themselves.

use std::collections::{BTreeMap, BTreeSet};

use tre_core::policy::{
    Concentration, Contributors, DominanceRule, Policy, Rounding, Showing, Unanimous, Undecided,
};

use super::grammar::{Call, Front};
use super::oracle::{Group, Groups, Keys};

/// Fewest people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Minima {
    /// Behind a value.
    pub(super) people: usize,
    /// Behind an undeclared label.
    pub(super) labels: usize,
    /// By whom two values of a row differ.
    pub(super) complement: usize,
}

/// What the policy of a world promises.
#[derive(Debug, Clone)]
pub(super) struct Promise {
    general: Minima,
    /// Fewest people by tag and value.
    tagged: BTreeMap<String, BTreeMap<String, usize>>,
    /// Tags that do not meet as keys.
    crosses: Vec<Vec<String>>,
    /// Most keys.
    max_keys: usize,
    /// Largest product of domains that is completed.
    pub(super) completed: usize,
    /// Whether a value of nobody is shown.
    pub(super) zeros: bool,
    /// Whether who adds zero stands behind a sum.
    zeros_contribute: bool,
    /// Most digits of a sum.
    digits: usize,
    /// Fewest people with a value behind a sum, less one.
    freedom: usize,
    rounding: Rounding,
    dominance: DominanceRule,
    pub(super) unanimous: Unanimous,
}

impl Promise {
    /// Reads it off a policy.
    pub(super) fn of(policy: &Policy) -> Promise {
        let rules = policy.rules();
        let tagged = rules.tagged.iter().map(|rule| {
            let classes = rule.classes.iter();
            let values = classes.flat_map(|class| {
                let minimum = class.minimum.get() as usize;
                class.values.iter().map(move |value| (value.clone(), minimum))
            });
            (rule.tag.clone(), values.collect())
        });
        Promise {
            general: Minima {
                people: rules.units.minimum.get() as usize,
                labels: rules.labels.minimum.get() as usize,
                complement: rules.complement.minimum.get() as usize,
            },
            tagged: tagged.collect(),
            crosses: rules
                .crosses
                .forbidden
                .iter()
                .map(|cross| cross.tags.clone())
                .collect(),
            max_keys: rules.size.max_keys.get() as usize,
            completed: rules.domains.complete_up_to.get() as usize,
            zeros: rules.units.zero == Showing::Show,
            zeros_contribute: rules.magnitudes.contributors == Contributors::Present,
            digits: rules.magnitudes.significant_digits.get() as usize,
            freedom: rules.magnitudes.degrees_of_freedom.get() as usize,
            rounding: rules.rounding,
            dominance: rules.dominance.clone(),
            unanimous: rules.class.unanimous,
        }
    }

    /// The minima of a row; `None`: nothing of it is shown.
    pub(super) fn minima(&self, front: &Front, keys: &Keys) -> Option<Minima> {
        let mut minima = self.general;
        for (tag, key) in front.tags.iter().zip(keys) {
            let Some(classes) = tag.as_ref().and_then(|tag| self.tagged.get(tag)) else {
                continue;
            };
            let least = *classes.get(key.as_ref()?)?;
            for minimum in [&mut minima.people, &mut minima.labels, &mut minima.complement] {
                *minimum = (*minimum).max(least);
            }
        }
        Some(minima)
    }

    /// Why a question must not be answered at all, from its keys alone.
    pub(super) fn forbids(&self, front: &Front) -> Option<String> {
        let tags: BTreeSet<&String> = front.tags.iter().flatten().collect();
        let cross = self
            .crosses
            .iter()
            .find(|cross| cross.iter().all(|tag| tags.contains(tag)));
        cross.map(|cross| format!("{cross:?} meet")).or_else(|| {
            let keys = front.domains.len();
            (keys > self.max_keys).then(|| format!("{keys} keys"))
        })
    }

    /// Whether values are rounded to a base afterwards.
    pub(super) fn rounds(&self) -> bool {
        !matches!(self.rounding, Rounding::None {})
    }

    /// Who stands behind a value.
    pub(super) fn behind(&self, group: &Group, call: Call, argument: Option<usize>) -> BTreeSet<u32> {
        match (call, argument) {
            (Call::Sum, Some(x)) if !self.zeros_contribute => group.not_zero(x),
            _ => group.behind(call, argument),
        }
    }

    /// What is wrong with a sum that is shown: `told` as the answer writes it.
    pub(super) fn sum_tells(&self, group: &Group, argument: usize, told: &str) -> Option<String> {
        let values: BTreeSet<i128> = group.values(argument).collect();
        let (Some(smallest), people) = (values.first(), group.people(Some(argument)).len()) else {
            return None;
        };
        if values.len() == 1 {
            return Some(format!("everybody has {values:?}"));
        }
        if people <= self.freedom {
            return Some(format!(
                "{people} people have less than {} degrees of freedom",
                self.freedom
            ));
        }
        let behind = self.behind(group, Call::Sum, Some(argument));
        if let (DominanceRule::Rules { rules, .. }, false) = (&self.dominance, behind.is_empty()) {
            if *smallest < 0 {
                return Some("values below zero are summed".to_owned());
            }
            let largest = [group.top(argument, 0), group.top(argument, 1)];
            let sum: i128 = group.values(argument).sum();
            if let Some(rule) = rules.iter().find(|rule| dominated(sum, largest, rule)) {
                return Some(format!("{largest:?} make up {sum}: {rule:?}"));
            }
        }
        let digits: String = told.chars().filter(char::is_ascii_digit).collect();
        let significant = digits.trim_matches('0').len();
        let few = self.rounds() || significant <= self.digits;
        (!few).then(|| format!("{told} has {significant} digits"))
    }

    /// Whether a number is one that rounding leaves.
    pub(super) fn is_rounded(&self, call: Call, told: &str) -> bool {
        if matches!(call, Call::Min | Call::Max) {
            return true;
        }
        let (whole, decimals) = told.split_once('.').unwrap_or((told, ""));
        let number: i128 = format!("{whole}{decimals}").parse().unwrap();
        let one = 10_i128.pow(decimals.len() as u32);
        match (self.rounding, call) {
            (Rounding::None {}, _) | (_, Call::Min | Call::Max) => true,
            (
                Rounding::Nearest { sums: false, .. }
                | Rounding::Midpoint { sums: false, .. }
                | Rounding::Controlled { sums: false, .. },
                Call::Sum,
            ) => true,
            (
                Rounding::Nearest { base, .. } | Rounding::Controlled { base, .. },
                Call::Count | Call::Units | Call::Sum,
            ) => number % (i128::from(base.get()) * one) == 0,
            (Rounding::Midpoint { base, .. }, Call::Count | Call::Units | Call::Sum) => {
                let base = i128::from(base.get()) * one;
                number == 0 || number.abs() % base == base / 2
            }
        }
    }

    /// Whether the policy refers an answer with this group, because of values below zero.
    pub(super) fn refers(&self, front: &Front, keys: &Keys, group: &Group) -> bool {
        let DominanceRule::Rules {
            negative: Undecided::Refer,
            ..
        } = self.dominance
        else {
            return false;
        };
        let Some(minima) = self.minima(front, keys) else {
            return false;
        };
        front.sums().into_iter().any(|x| {
            group.values(x).min().is_some_and(|smallest| smallest < 0)
                && self.behind(group, Call::Sum, Some(x)).len() >= minima.people
        })
    }
}

/// Whether one or two people make up too much of a sum of values that are not negative.
fn dominated(sum: i128, [first, second]: [i128; 2], rule: &Concentration) -> bool {
    let rest = sum - first - second;
    match *rule {
        Concentration::PPercent { p } => rest * 10_000 < first * i128::from(p.hundredths()),
        Concentration::Pq { p, q } => rest * i128::from(q.hundredths()) < first * i128::from(p.hundredths()),
        Concentration::Nk { n, k } => {
            let largest = if n.get() == 1 { first } else { first + second };
            largest * 10_000 > sum * i128::from(k.hundredths())
        }
    }
}

/// For a row: how many people are in the one category of a line through it that has all of them. `None`: in every line
/// people are in several categories, or in none. `people`: who is counted in a group.
pub(super) fn unanimous(groups: &Groups, keys: &Keys, people: impl Fn(&Group) -> usize) -> Option<usize> {
    (0..keys.len()).filter(|at| keys[*at].is_some()).find_map(|at| {
        let in_line = groups.iter().filter(|(other, _)| {
            other[at].is_some() && (0..keys.len()).all(|i| i == at || other[i] == keys[i])
        });
        let counts: Vec<usize> = in_line
            .map(|(_, group)| people(group))
            .filter(|n| *n > 0)
            .collect();
        match counts.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    })
}
