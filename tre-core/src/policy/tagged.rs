//! What a policy says of columns by their tag: minima that depend on the value, and tags that may not meet.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{self, Problem};
use crate::ids::PolicyId;

use super::{Above, MinimumUnits, RulePack};

/// Minima of people that depend on the value of a column with this tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaggedRule {
    /// The tag, as a holder's spec gives it to a column; the kind of an entity is a tag as well.
    pub tag: String,
    /// What becomes of a question that selects people by such a column, or groups by something computed from it.
    pub selected: Above,
    /// The minima. Of a value that is in none of them nothing is shown.
    pub classes: Vec<TagClass>,
}

/// Values of a tagged column behind which equally many people have to stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagClass {
    /// Fewest people; not fewer than behind other values.
    pub minimum: MinimumUnits,
    /// The values, as SQL prints them.
    pub values: Vec<String>,
}

/// Tags that may not meet in one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrossesRule {
    /// Tags, and what becomes of a question in which all of them are, as keys or in its conditions.
    pub forbidden: Vec<Cross>,
}

/// Tags that may not all be in one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cross {
    /// Which, at least two.
    pub tags: Vec<String>,
    /// What becomes of the question.
    pub then: Above,
}

impl fmt::Display for Cross {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<String> = self.tags.iter().map(|tag| format!("`{tag}`")).collect();
        f.write_str(&tags.join(" and "))
    }
}

impl TaggedRule {
    /// The minimum that holds where it is not known which values people have: the largest.
    pub fn strictest(&self) -> Option<MinimumUnits> {
        self.classes.iter().map(|class| class.minimum).max()
    }
}

/// Whether tags and values are named once, and no minimum is below that of other values.
pub(super) fn check(rules: &RulePack, id: &PolicyId) -> Result<(), Problem> {
    let contradiction = |what: String, hint: &str| {
        let what = format!("policy `{id}`: {what}");
        Err(Problem::new(&codes::SDC_POLICY_CONTRADICTION, what, hint))
    };
    let mut tags = BTreeSet::new();
    for rule in &rules.tagged {
        let tag = &rule.tag;
        if tag.is_empty() || !tags.insert(tag) {
            return contradiction(
                format!("the tag `{tag}` is empty or stands twice"),
                "name each tag once",
            );
        }
        let mut values = BTreeSet::new();
        for class in &rule.classes {
            if class.minimum < rules.units.minimum {
                let (minimum, least) = (class.minimum, rules.units.minimum);
                return contradiction(
                    format!("`{tag}` has a minimum of {minimum}, below `units.minimum` ({least})"),
                    "use minima that are not smaller than that of other values",
                );
            }
            if let Some(twice) = class.values.iter().find(|value| !values.insert(value.as_str())) {
                return contradiction(
                    format!("`{twice}` stands twice among the values of `{tag}`"),
                    "let each value have one minimum",
                );
            }
        }
    }
    for cross in &rules.crosses.forbidden {
        let different: BTreeSet<&String> = cross.tags.iter().collect();
        if different.len() < 2
            || different.len() < cross.tags.len()
            || cross.tags.iter().any(String::is_empty)
        {
            return contradiction(
                format!("the cross of {cross} is none"),
                "name two different tags, or more",
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::super::Policy;

    const NDB: &str = include_str!("../../../policies/sdc/ndb.toml");

    /// (what is wrong, text replaced, replacement, code, part of the message)
    const MALFORMED: &[(&str, &str, &str, &str, &str)] = &[
        (
            "a minimum below that of other values",
            "{ minimum = 10, values = [] }",
            "{ minimum = 9, values = [] }",
            "TRE-SDC-005",
            "below `units.minimum` (10)",
        ),
        (
            "a value in two classes",
            "{ minimum = 10, values = [] },   # from",
            "{ minimum = 10, values = [\"13101\"] }, { minimum = 15, values = [\"13101\"] }, # from",
            "TRE-SDC-005",
            "`13101` stands twice",
        ),
        (
            "a tag twice",
            "[[tagged]]\ntag ",
            "[[tagged]]\ntag = \"jis-x-0402\"\nselected = \"refer\"\nclasses = []\n[[tagged]]\ntag ",
            "TRE-SDC-005",
            "stands twice",
        ),
        (
            "a cross of one",
            "[\"jis-x-0402\", \"insurer\"]",
            "[\"insurer\", \"insurer\"]",
            "TRE-SDC-005",
            "the cross of `insurer` and `insurer`",
        ),
        (
            "a cross of one tag only",
            "[\"jis-x-0402\", \"insurer\"]",
            "[\"jis-x-0402\"]",
            "TRE-SDC-005",
            "the cross of `jis-x-0402` is none",
        ),
        (
            "an unknown word",
            "then = \"refer\"",
            "then = \"ask\"",
            "TRE-SDC-003",
            "ask",
        ),
        (
            "values as numbers",
            "minimum = 20, values = []",
            "minimum = 20, values = [13101]",
            "TRE-SDC-002",
            "13101",
        ),
        (
            "no word for selections",
            "selected = \"refer\"",
            "",
            "TRE-SDC-002",
            "missing field `selected`",
        ),
    ];

    #[test]
    fn malformed_tags_are_refused() {
        for (case, from, to, code, part) in MALFORMED {
            assert!(NDB.contains(from), "{case}: nothing to replace");
            let text = NDB.replacen(from, to, 1);
            let parsed = Policy::parse(&"ndb".parse().unwrap(), &text);
            assert!(parsed.is_err(), "{case}: accepted");
            let problem = parsed.unwrap_err();
            assert_eq!(problem.code.id, *code, "{case}: {problem}");
            assert!(problem.what.contains(part), "{case}: {problem}");
        }
    }

    #[test]
    fn the_strictest_class_is_that_of_most_people() {
        let ndb = Policy::parse(&"ndb".parse().unwrap(), NDB).unwrap();
        let strictest: Vec<_> = ndb
            .rules()
            .tagged
            .iter()
            .map(super::TaggedRule::strictest)
            .collect();
        assert_eq!(strictest, [Some(20.try_into().unwrap())]);
    }
}
