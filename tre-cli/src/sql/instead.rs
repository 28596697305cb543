//! What to ask instead: rewrites that come with an answer, a check, a refusal or a review.
//!
//! The server chooses them without looking at data, so every answer to one question has the same. Which of them are worth a
//! line depends on what was done to the answer, and that the analyst can see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tre_proto::v1;

use crate::render::{Cell, Grid};

/// Most lines about what to ask instead.
pub(crate) const MOST: usize = 3;

/// What to ask instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Rewrite {
    /// A sentence, SQL in backticks.
    pub(crate) what: String,
    /// SQL of the query to be replaced wherever it stands; empty: nothing is.
    #[serde(default)]
    pub(crate) replace: String,
    /// SQL that takes its place; empty: it is left out.
    #[serde(default)]
    pub(crate) by: String,
    /// A clause to be added: a join to FROM, a condition to WHERE, a key to GROUP BY; empty: none.
    #[serde(default)]
    pub(crate) add: String,
    /// The rules, by their words in `disclosure`, against which it can help.
    #[serde(default)]
    pub(crate) against: Vec<String>,
}

impl From<v1::Rewrite> for Rewrite {
    fn from(rewrite: v1::Rewrite) -> Self {
        Rewrite {
            what: rewrite.what,
            replace: rewrite.replace,
            by: rewrite.by,
            add: rewrite.add,
            against: rewrite.against,
        }
    }
}

/// Those that can help against one of these rules; all where `rules` is `None`. At most three.
pub(crate) fn helpful<'r>(rewrites: &'r [Rewrite], rules: Option<&[String]>) -> Vec<&'r Rewrite> {
    let helps = |rewrite: &&Rewrite| {
        rules.is_none_or(|rules| rules.iter().any(|rule| rewrite.against.contains(rule)))
    };
    rewrites.iter().filter(helps).take(MOST).collect()
}

/// Rewrites as a grid; none where there are none.
pub(crate) fn grid(rewrites: &[&Rewrite]) -> Option<Grid> {
    let rows: Vec<Vec<Cell>> = rewrites
        .iter()
        .map(|rewrite| vec![Cell::text(&rewrite.what)])
        .collect();
    (!rows.is_empty()).then(|| Grid::new(&["rewrite"], rows).titled("what to ask instead"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_help_is_told_and_three_at_most() {
        let rewrite = |what: &str, against: &[&str]| Rewrite {
            what: what.to_owned(),
            replace: String::new(),
            by: String::new(),
            add: String::new(),
            against: against.iter().map(|rule| (*rule).to_owned()).collect(),
        };
        let all = [
            rewrite("a", &["threshold", "rare-label"]),
            rewrite("b", &["extreme"]),
            rewrite("c", &["threshold"]),
            rewrite("d", &["threshold"]),
            rewrite("e", &["threshold"]),
        ];
        let told = |rules: Option<&[&str]>| {
            let rules: Option<Vec<String>> =
                rules.map(|rules| rules.iter().map(|rule| (*rule).to_owned()).collect());
            let told = helpful(&all, rules.as_deref());
            told.iter()
                .map(|rewrite| rewrite.what.clone())
                .collect::<String>()
        };
        assert_eq!(told(Some(&["threshold"])), "acd");
        assert_eq!(told(Some(&["extreme", "dominance"])), "b");
        assert_eq!(told(Some(&[])), "");
        assert_eq!(told(None), "abc");
    }
}
