//! The entries of `tests/corpus/smuggling.toml`; its head says what the keys mean.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) trick: Vec<Trick>,
}

/// An entry; the head of the file says what its keys mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trick {
    pub(super) id: String,
    pub(super) trick: String,
    pub(super) query: Option<String>,
    #[serde(default)]
    pub(super) queries: Vec<String>,
    #[serde(default = "ndb")]
    pub(super) policy: String,
    pub(super) decision: String,
    #[serde(default)]
    pub(super) differs: Vec<String>,
    pub(super) people: Option<String>,
    pub(super) remainder: Option<Remainder>,
    #[serde(default = "nine")]
    pub(super) few: f64,
    #[serde(default = "yes")]
    pub(super) plain: bool,
    pub(super) needs: Option<Needs>,
    pub(super) why: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Remainder {
    Columns,
    Rows,
}

/// What is still to be built before the trick fails.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Needs {
    Dominance,
    Net,
    Majority,
    Secondary,
}

fn ndb() -> String {
    "ndb".to_owned()
}

fn nine() -> f64 {
    9.0
}

fn yes() -> bool {
    true
}

impl Trick {
    /// Its queries.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.query
            .iter()
            .chain(&self.queries)
            .map(String::as_str)
            .collect()
    }
}
