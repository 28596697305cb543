//! Cases of a rule pack: cells with evidence and what has to become of them, as data beside the policy.
//!
//! A file of cases is how a policy's author says what its numbers mean, on both sides of every limit. `tre policy test`
//! runs it through the same [`check`](crate::check()) as every answer, on evidence that is counted from the people and
//! values that a case names. One file per pack, `policies/sdc/conformance/<id>.toml`:
//!
//! ```toml
//! policy = "ndb"
//!
//! [[case]]
//! name  = "nine patients, and nobody"
//! keys  = [{ name = "sex", values = ["F", "M"] }]
//! cells = [
//!     { key = ["F"], people = 9, count = "suppressed (threshold)" },
//!     { key = ["M"], people = 0, count = "0" },
//! ]
//!
//! [[case]]
//! name  = "a sum that one of twelve makes up"
//! cells = [{ values = [[11, 1], [1, 500]], count_x = "12", sum_x = "511" }]
//! ```
//!
//! `[[codes]]` with `tag`, `minimum` and `values` adds values to a class of the policy, whose own lists may be an
//! operator's to fill in.
//!
//! | key of a case | meaning |
//! |---|---|
//! | `name` | in a few words; unique in the file |
//! | `keys` | group keys of the table: `name`, `values` where the domain is declared, `tag`, tags that it is `computed_from`; none: one group of everybody |
//! | `selected_by` | tags of columns by which its people are selected |
//! | `products` | true where x is a square or product: a deviation is computed from its sum |
//! | `cells` | the groups |
//! | `decision` | `release` (when left out), `refer` or `withhold` |
//!
//! | key of a cell | meaning |
//! |---|---|
//! | `key` | its value of every key |
//! | `people` | how many are in it, with a row each and no value of x |
//! | `values` | pairs: so many people with one row each, and their value of x, a whole number |
//! | `count`, `count_x`, `sum_x` | what has to become of `count(distinct pid)`, `count(x)`, `sum(x)`: the value as shown, with ` rounded (base)` or ` perturbed (cell-key)` where it was treated, and as `9 to 13` where it is drawn; `suppressed (rule)`; `left out` where the row may not stand in the answer |
//!
//! `[[pair]]` is about two counts of people, one after the other, of which the ledger remembers the first:
//!
//! ```toml
//! [[pair]]
//! name    = "one person fewer than a count that has left"
//! left    = 100
//! next    = 99
//! both    = 99
//! becomes = "100 snapped (differing)"
//! ```
//!
//! | key of a pair | meaning |
//! |---|---|
//! | `name` | as of a case |
//! | `left`, `next` | how many people are counted first, and next under another condition |
//! | `both` | how many of them are the same |
//! | `becomes` | what has to become of the next count: as of a cell, or `referred` |

mod cells;
mod pair;
mod run;

use serde::Deserialize;

use tre_core::codes::{self, Problem};
use tre_core::ids::PolicyId;
use tre_core::policy::{MinimumUnits, Policy, RulePack};

/// Largest file of cases, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Most people of a pair: each of them is sketched.
const MAX_PEOPLE_OF_PAIR: u32 = 10_000;

/// Most people of one cell: what they add up to has to fit the evidence.
const MAX_PEOPLE: u64 = 1_000_000_000;

/// The cases of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conformance {
    /// Whose cases these are.
    policy: PolicyId,
    /// Values that these cases are about, in the policy's classes.
    #[serde(default)]
    codes: Vec<Codes>,
    /// The cases.
    case: Vec<Case>,
    /// The pairs.
    #[serde(default)]
    pair: Vec<Pair>,
}

/// Values of a tag that a class of the policy lists in these cases, beside its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Codes {
    tag: String,
    /// The class, by its minimum.
    minimum: MinimumUnits,
    values: Vec<String>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    keys: Vec<CaseKey>,
    #[serde(default)]
    selected_by: Vec<String>,
    #[serde(default)]
    products: bool,
    cells: Vec<CaseCell>,
    #[serde(default)]
    decision: Word,
}

/// Two counts, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    name: String,
    left: u32,
    next: u32,
    both: u32,
    becomes: String,
}

/// A group key of text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseKey {
    name: String,
    /// The declared domain; none: the key declares no domain.
    values: Option<Vec<String>>,
    tag: Option<String>,
    #[serde(default)]
    computed_from: Vec<String>,
}

/// A group, and what has to become of its values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseCell {
    #[serde(default)]
    key: Vec<String>,
    #[serde(default)]
    people: u64,
    #[serde(default)]
    values: Vec<(u64, i64)>,
    count: Option<String>,
    count_x: Option<String>,
    sum_x: Option<String>,
}

/// The word of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    #[default]
    Release,
    Refer,
    Withhold,
}

/// One thing that a case says, and what came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The case.
    pub case: String,
    /// What is judged: `decision`, or a value of a group, e.g. `F: count`.
    pub what: String,
    /// What has to become of it.
    pub expected: String,
    /// What became of it.
    pub got: String,
}

impl Outcome {
    /// Whether it came out as the case says.
    pub fn passed(&self) -> bool {
        self.expected == self.got || self.is_between()
    }

    /// Whether a number between two others was expected, and came out.
    fn is_between(&self) -> bool {
        let number = |text: &str| text.parse::<i128>().ok();
        let Some((least, rest)) = self.expected.split_once(" to ") else {
            return false;
        };
        let (most, status) = rest.split_once(' ').unwrap_or((rest, ""));
        let (value, told) = self.got.split_once(' ').unwrap_or((&self.got, ""));
        let within = |least| Some((least..=number(most)?).contains(&number(value)?));
        status == told && number(least).and_then(within) == Some(true)
    }
}

impl Conformance {
    /// Reads a file of cases.
    ///
    /// # Errors
    /// `TRE-SDC-007` when it is no TOML of this shape, or a case contradicts itself.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > MAX_BYTES {
            return Err(malformed(format!("the file has {} bytes", text.len())));
        }
        let conformance: Conformance = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(0, |before| before.matches('\n').count())
                + 1;
            let message: Vec<&str> = error.message().split_whitespace().collect();
            malformed(format!("line {line}: {}", message.join(" ")))
        })?;
        for (i, case) in conformance.case.iter().enumerate() {
            case.check()?;
            let mut others = conformance.case.iter().take(i);
            if others.any(|other| other.name == case.name) {
                return Err(malformed(format!("case `{}` stands twice", case.name)));
            }
        }
        for (i, pair) in conformance.pair.iter().enumerate() {
            pair.check()?;
            let mut others = conformance.pair.iter().take(i);
            if others.any(|other| other.name == pair.name) {
                return Err(malformed(format!("pair `{}` stands twice", pair.name)));
            }
        }
        Ok(conformance)
    }

    /// How many cases and pairs there are.
    pub fn len(&self) -> usize {
        self.case.len() + self.pair.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs all cases and pairs under a policy, in the order of the file.
    ///
    /// # Errors
    /// `TRE-SDC-007` when these are the cases of another policy.
    pub fn run(&self, policy: &Policy) -> Result<Vec<Outcome>, Problem> {
        if policy.id() != &self.policy {
            let what = format!("these are cases of `{}`, not of `{}`", self.policy, policy.id());
            return Err(malformed(what));
        }
        let rules = self.with_codes(policy.rules().clone())?;
        let mut outcomes = Vec::new();
        for case in &self.case {
            outcomes.extend(run::case(case, &rules)?);
        }
        for pair in &self.pair {
            outcomes.push(pair::pair(pair, &rules)?);
        }
        Ok(outcomes)
    }

    /// The rules with the values of these cases in their classes.
    fn with_codes(&self, mut rules: RulePack) -> Result<RulePack, Problem> {
        for Codes { tag, minimum, values } in &self.codes {
            let rule = rules.tagged.iter_mut().find(|rule| rule.tag == *tag);
            let class = rule.and_then(|rule| rule.classes.iter_mut().find(|class| class.minimum == *minimum));
            match class {
                Some(class) => class.values.extend(values.iter().cloned()),
                None => {
                    let what = format!("the policy has no class of `{tag}` with a minimum of {minimum}");
                    return Err(malformed(what));
                }
            }
        }
        Ok(rules)
    }
}

impl Case {
    fn check(&self) -> Result<(), Problem> {
        let name = &self.name;
        let wrong = |what: &str| Err(malformed(format!("case `{name}`: {what}")));
        if name.trim().is_empty() || self.cells.is_empty() {
            return wrong("it has no name or no cells");
        }
        for (i, cell) in self.cells.iter().enumerate() {
            if cell.key.len() != self.keys.len() {
                return wrong("a cell's `key` has as many values as the case has keys");
            }
            if self.cells.iter().take(i).any(|other| other.key == cell.key) {
                return wrong("a group stands twice");
            }
            if cell.expected().iter().all(|(_, expected)| expected.is_none()) {
                return wrong("a cell says of no value what becomes of it");
            }
            let people = cell.values.iter().try_fold(cell.people, |sum, (people, _)| {
                sum.checked_add(*people).filter(|sum| *sum <= MAX_PEOPLE)
            });
            if people.is_none_or(|people| people > MAX_PEOPLE) {
                return wrong("there are too many people in a cell");
            }
        }
        Ok(())
    }
}

impl Pair {
    fn check(&self) -> Result<(), Problem> {
        let name = &self.name;
        if name.trim().is_empty() || self.both > self.left.min(self.next) {
            let what = format!("pair `{name}`: it has no name, or more people in both counts than in one");
            return Err(malformed(what));
        }
        if self.left.max(self.next) > MAX_PEOPLE_OF_PAIR {
            return Err(malformed(format!("pair `{name}`: there are too many people")));
        }
        Ok(())
    }
}

impl CaseCell {
    /// What has to become of each kind of value.
    fn expected(&self) -> [(&'static str, Option<&str>); 3] {
        [
            ("count", self.count.as_deref()),
            ("count_x", self.count_x.as_deref()),
            ("sum_x", self.sum_x.as_deref()),
        ]
    }
}

fn malformed(what: String) -> Problem {
    Problem::of(&codes::SDC_CASES, what)
}
