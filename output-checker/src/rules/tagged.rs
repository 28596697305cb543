//! Minima by tag: how many people have to stand behind a value depends on which municipality, or other tagged value, it
//! is about.
//!
//! *Definition.* For a key that is a bare column of a tag with classes, the class that lists the key's value says how many
//! people the group needs: for its values, its label and its complements alike. Of a value in no class nothing is shown,
//! NULL included. Where the tag's column selects people, or a key is computed from it, no value is known by which to
//! judge: then the strictest class holds for the whole table, and the policy refers or withholds it.
//!
//! *Why.* Ten patients of a village of 1,500 are found more easily than ten of a city. A list that a new code is not on
//! must not open it: what is not listed is not shown.
//!
//! *Sources.* NDB guideline, comparison table of 2025-09-03: municipalities below 2,000 inhabitants are not shown, below
//! 25,000 no cell has fewer than 20 patients, from there on fewer than 10.
//!
//! *Parameters.* `tagged.tag`, `tagged.classes`, `tagged.selected`.

use std::collections::HashMap;

use tre_core::policy::{ComplementRule, LabelsRule, MinimumUnits, RulePack, TaggedRule, UnitsRule};

use crate::lineage::Lineage;

/// The rules that ask how many people there are, as they hold for one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minima {
    pub units: UnitsRule,
    pub labels: LabelsRule,
    pub complement: ComplementRule,
}

impl Minima {
    fn at_least(mut self, minimum: MinimumUnits) -> Self {
        let minima = [
            &mut self.units.minimum,
            &mut self.labels.minimum,
            &mut self.complement.minimum,
        ];
        for least in minima {
            *least = (*least).max(minimum);
        }
        self
    }
}

/// The minima of a question's groups.
#[derive(Debug)]
pub(crate) struct MinimaByTag<'a> {
    /// Those of every group.
    general: Minima,
    /// Keys with classes: their position, and the minimum of each value.
    keys: Vec<(usize, HashMap<&'a str, MinimumUnits>)>,
}

impl<'a> MinimaByTag<'a> {
    /// Of a question under a policy.
    pub(crate) fn new(lineage: &Lineage, rules: &'a RulePack) -> Self {
        let mut general = Minima {
            units: rules.units,
            labels: rules.labels,
            complement: rules.complement,
        };
        let mut keys = Vec::new();
        for rule in &rules.tagged {
            if hides_its_value(lineage, rule) {
                general = rule
                    .strictest()
                    .map_or(general, |minimum| general.at_least(minimum));
            }
            for (i, key) in lineage.keys.iter().enumerate() {
                if key.tag.as_ref() == Some(&rule.tag) {
                    keys.push((i, minimum_of_value(rule)));
                }
            }
        }
        MinimaByTag { general, keys }
    }

    /// The largest number of people that any of the question's values can need.
    pub(crate) fn strictest(&self) -> MinimumUnits {
        let classes = self
            .keys
            .iter()
            .flat_map(|(_, classes)| classes.values().copied());
        classes.fold(self.general.units.minimum, MinimumUnits::max)
    }

    /// Of one group, by the values of its keys as text; `None`: nothing of it is shown.
    pub(crate) fn of_group(&self, label: impl Fn(usize) -> Option<String>) -> Option<Minima> {
        let mut minima = self.general;
        for (key, classes) in &self.keys {
            minima = minima.at_least(*classes.get(label(*key)?.as_str())?);
        }
        Some(minima)
    }
}

/// Whether people are selected by the tag's column, or a key is computed from it.
pub(crate) fn hides_its_value(lineage: &Lineage, rule: &TaggedRule) -> bool {
    let computed = lineage.keys.iter().flat_map(|key| &key.computed_from);
    lineage
        .selected_by
        .iter()
        .chain(computed)
        .any(|tag| *tag == rule.tag)
}

/// Whether the policy lists no value of the tag: then nothing by it is shown.
pub(crate) fn lists_no_value(rule: &TaggedRule) -> bool {
    rule.classes.iter().all(|class| class.values.is_empty())
}

fn minimum_of_value(rule: &TaggedRule) -> HashMap<&str, MinimumUnits> {
    let classes = rule.classes.iter();
    classes
        .flat_map(|class| class.values.iter().map(|value| (value.as_str(), class.minimum)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use tre_core::policy::Showing;

    #[test]
    fn cases() {
        let minimum = |people: i64| -> MinimumUnits { people.try_into().unwrap() };
        let general = Minima {
            units: UnitsRule {
                minimum: minimum(10),
                zero: Showing::Show,
                jitter: 0.try_into().unwrap(),
            },
            labels: LabelsRule { minimum: minimum(15) },
            complement: ComplementRule { minimum: minimum(5) },
        };
        let places = HashMap::from([("city", minimum(10)), ("town", minimum(20))]);
        let areas = HashMap::from([("north", minimum(12))]);
        let by_place = MinimaByTag {
            general,
            keys: vec![(1, places.clone())],
        };
        let by_both = MinimaByTag {
            general,
            keys: vec![(1, places), (0, areas)],
        };
        let none = MinimaByTag {
            general,
            keys: vec![],
        };
        // (case, minima, values of the keys, people behind values, labels and complements)
        let cases = [
            ("no tagged key", &none, ["north", "village"], Some([10, 15, 5])),
            (
                "the general minimum",
                &by_place,
                ["south", "city"],
                Some([10, 15, 10]),
            ),
            ("a stricter one", &by_place, ["south", "town"], Some([20, 20, 20])),
            ("not listed", &by_place, ["south", "village"], None),
            ("NULL", &by_place, ["south", ""], None),
            (
                "the stricter of two",
                &by_both,
                ["north", "city"],
                Some([12, 15, 12]),
            ),
            ("one of two is not listed", &by_both, ["south", "city"], None),
        ];
        for (case, minima, values, expected) in cases {
            let label = |key: usize| values.get(key).map(|v| (*v).to_owned()).filter(|v| !v.is_empty());
            let found = minima.of_group(label).map(|minima| {
                [
                    minima.units.minimum,
                    minima.labels.minimum,
                    minima.complement.minimum,
                ]
                .map(MinimumUnits::get)
            });
            assert_eq!(found, expected, "{case}");
        }
    }
}
