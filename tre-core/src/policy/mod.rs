//! Policies: what may leave, as data. One TOML file per rule pack, in `policies/sdc`.
//!
//! A policy names every parameter itself. There is no default anywhere in the program: a key that is missing is an
//! error, and so is a key that no rule reads, since whoever wrote it believes that it protects. Quantities are types of
//! their own ([`MinimumUnits`], [`SignificantDigits`], …), checked while the file is read; what is in memory is
//! possible. The policy keeps the SHA-256 of the bytes that it was read from: reports name it, permits pin it.
//!
//! | table | key | unit, range |
//! |---|---|---|
//! | (top) | `id`, `title` | the file's name; one line |
//! | `source` | `urls`, `date`, `notes`, `open` | where the numbers are from; what the source leaves open and what was chosen |
//! | `units` | `minimum`, `zero`, `jitter` | people behind a value; whether a value of nobody is shown; people more, drawn for each set of people |
//! | `labels` | `minimum` | people behind a value of a key without declared domain |
//! | `domains` | `complete_up_to` | rows: products of declared domains up to here stand in the answer in full |
//! | `complement` | `minimum` | people counted by one value of a row and not by another |
//! | `class` | `unanimous` | what becomes of a group whose people all fall into one category |
//! | `magnitudes` | `significant_digits`, `contributors`, `same_value`, `majority`, `degrees_of_freedom`, `degrees_of_freedom_of_products` | digits of sums; who stands behind a sum; whether equal values are shown, or nearly equal ones; people with a value less one, behind a sum and behind one of squares or products |
//! | `dominance` | `method`, `rules`, `negative` | percent: what of a sum one or two people may make up; what becomes of sums with values below zero |
//! | `perturbation` | `method`, `deviation`, `variance`, `small`, `table` | noise of counts, drawn for each set of people |
//! | `rounding` | `method`, `base`, `sums` | rounding of counts, and of sums |
//! | `tagged` | `tag`, `classes`, `selected` | a table per tag: people behind values by the value of a tagged key; what becomes of a selection by it |
//! | `crosses` | `forbidden` | tags that may not meet in one question, and what becomes of it |
//! | `size` | `max_keys`, `max_rows`, `above` | keys and rows of one aggregation; what becomes of more |
//! | `view` | `allowed` | whether answers may leave in a session |
//! | `ledger` | `keep`, `differing`, `sensitive`, `refusals_per_user`, `refusals_per_project` | comparison with what has left; refusals per 24 hours |
//! | `release` | `reviewers` | people other than the author who agree to a file, at least; 0: it may leave by itself |

mod dominance;
mod ledger;
mod percent;
mod perturbation;
mod places;
mod quantities;
mod rules;
mod tagged;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{self, Problem};
use crate::ids::PolicyId;
use crate::sketch::{MAX_CAPACITY, SketchShape};
use crate::toml_words::in_words;

pub use dominance::{Concentration, DominanceRule};
pub use ledger::{Differing, LedgerRule};
pub use percent::Percent;
pub use perturbation::{NoiseOfCount, Perturbation, Variance};
pub use quantities::{
    DegreesOfFreedom, Deviation, Jitter, KeyLimit, Largest, MinimumUnits, Refusals, Reviewers, RoundingBase,
    RowLimit, SignificantDigits, SmallCount,
};
pub use rules::{
    Above, ClassRule, ComplementRule, Contributors, DomainsRule, LabelsRule, MagnitudesRule, ReleaseExit,
    Rounding, Showing, SizeRule, Source, Unanimous, Undecided, UnitsRule, ViewExit,
};
pub use tagged::{Cross, CrossesRule, TagClass, TaggedRule};

/// Most people that can be told apart by their values.
const MOST_VALUES: u32 = 1_000;

/// Largest policy file, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A policy in force: a rule pack and the hash of the file that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    rules: RulePack,
    hash: String,
}

/// A policy file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulePack {
    /// The file's name without `.toml`.
    pub id: PolicyId,
    /// One line for people.
    pub title: String,
    /// Minima that depend on the value of a tagged column.
    pub tagged: Vec<TaggedRule>,
    /// Where the numbers are from.
    pub source: Source,
    /// People behind a value.
    pub units: UnitsRule,
    /// People behind a label.
    pub labels: LabelsRule,
    /// Completion of declared domains.
    pub domains: DomainsRule,
    /// Differences of two values of one row.
    pub complement: ComplementRule,
    /// Groups whose people all fall into one category.
    pub class: ClassRule,
    /// Sums.
    pub magnitudes: MagnitudesRule,
    /// Sums that one or two people dominate.
    pub dominance: DominanceRule,
    /// Noise of counts.
    pub perturbation: Perturbation,
    /// Rounding to a base.
    pub rounding: Rounding,
    /// Tags that may not meet.
    pub crosses: CrossesRule,
    /// Keys and rows of one aggregation.
    pub size: SizeRule,
    /// Answers in a session.
    pub view: ViewExit,
    /// Files.
    pub release: ReleaseExit,
    /// Comparison with what has left.
    pub ledger: LedgerRule,
}

impl Policy {
    /// Reads a policy file. `id` is the file's name without `.toml`.
    ///
    /// # Errors
    /// A [`Problem`] with one of the codes `TRE-SDC-001` to `TRE-SDC-005` that names the line.
    pub fn parse(id: &PolicyId, text: &str) -> Result<Policy, Problem> {
        if text.len() > MAX_BYTES {
            let what = format!("policy `{id}` has {} bytes", text.len());
            return Err(Problem::of(&codes::SDC_POLICY_SYNTAX, what));
        }
        let at = |error: &toml::de::Error| match error.span() {
            Some(span) => format!("policy `{id}`, line {}", line_of(text, span.start)),
            None => format!("policy `{id}`"),
        };
        if let Err(error) = toml::from_str::<toml::Table>(text) {
            let what = format!("{}: {}", at(&error), in_words(&error));
            return Err(Problem::of(&codes::SDC_POLICY_SYNTAX, what));
        }
        let rules: RulePack = toml::from_str(text).map_err(|error| {
            let message = in_words(&error);
            let what = format!("{}: {message}", at(&error));
            let about_keys = ["missing field", "unknown field", "invalid type", "invalid length"];
            if about_keys.iter().any(|start| message.starts_with(start)) {
                Problem::of(&codes::SDC_POLICY_FIELD, what)
            } else {
                Problem::of(&codes::SDC_POLICY_VALUE, what)
            }
        })?;
        rules.check(id)?;
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        Ok(Policy {
            rules,
            hash: data_encoding::HEXLOWER.encode(digest.as_ref()),
        })
    }

    /// The policy's id.
    pub fn id(&self) -> &PolicyId {
        &self.rules.id
    }

    /// One line for people.
    pub fn title(&self) -> &str {
        &self.rules.title
    }

    /// All parameters.
    pub fn rules(&self) -> &RulePack {
        &self.rules
    }

    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether answers in a session may leave under this policy.
    ///
    /// # Errors
    /// `TRE-SDC-006` when they may not.
    pub fn check_view(&self) -> Result<(), Problem> {
        if self.rules.view.allowed {
            return Ok(());
        }
        Err(Problem::new(
            &codes::SDC_POLICY_EXIT,
            format!("policy `{}` does not allow answers in a session", self.id()),
            "name another policy for the exit `view`",
        ))
    }

    /// Whether a file may leave under this policy after `reviewers` people other than the author have agreed.
    ///
    /// # Errors
    /// `TRE-SDC-006` when the policy demands more.
    pub fn check_release(&self, reviewers: u32) -> Result<(), Problem> {
        let least = self.rules.release.reviewers.get();
        if reviewers >= least {
            return Ok(());
        }
        Err(Problem::new(
            &codes::SDC_POLICY_EXIT,
            format!(
                "policy `{}` demands at least {least} reviewers of a release, not {reviewers}",
                self.id()
            ),
            format!("set `reviewers` of the exit `release` to {least} or more"),
        ))
    }

    /// The rules in plain words, a sentence each.
    pub fn in_plain_words(&self) -> Vec<String> {
        words::in_plain_words(&self.rules)
    }

    /// The JSON schema of policy files (which are TOML; types and keys are the same).
    pub fn json_schema() -> schemars::Schema {
        schemars::schema_for!(RulePack)
    }
}

impl RulePack {
    /// Whether something is drawn for each set of people, and therefore read from the sets.
    pub fn draws(&self) -> bool {
        self.units.jitter.get() > 0 || self.perturbation.is_drawn()
    }

    /// How the data worker sketches the sets of people behind every cell; `None` where no rule reads them. A draw reads
    /// no more than their hashes.
    pub fn unit_sets(&self) -> Option<SketchShape> {
        let smallest = || self.draws().then(|| SketchShape::for_minimum(1));
        self.sketch().or_else(smallest)
    }

    /// Up to how many people of a group the data worker has to tell apart by what they contribute; `None` where no rule
    /// asks. It is the largest minimum that any group can have.
    pub fn values_told_apart(&self) -> Option<u32> {
        match self.magnitudes.majority {
            Showing::Show => None,
            Showing::Suppress => Some(self.largest_minimum().saturating_add(self.units.jitter.get())),
        }
    }

    fn check(&self, id: &PolicyId) -> Result<(), Problem> {
        if &self.id != id {
            let what = format!("the file `{id}.toml` holds a policy with the id `{}`", self.id);
            return Err(Problem::of(&codes::SDC_POLICY_ID, what));
        }
        let empty = [
            ("title", self.title.trim().is_empty() || self.title.contains('\n')),
            ("source.urls", self.source.urls.is_empty()),
            ("source.notes", self.source.notes.trim().is_empty()),
        ];
        if let Some((key, _)) = empty.into_iter().find(|(_, wrong)| *wrong) {
            return Err(Problem::new(
                &codes::SDC_POLICY_VALUE,
                format!("policy `{id}`: `{key}` is empty or has several lines"),
                "say what the policy is and where its numbers are from",
            ));
        }
        if let Some(people) = self.values_told_apart().filter(|people| *people > MOST_VALUES) {
            return Err(Problem::new(
                &codes::SDC_POLICY_CONTRADICTION,
                format!(
                    "policy `{id}`: `magnitudes.majority` with a minimum of {people} people, and values of at most \
                     {MOST_VALUES} are counted"
                ),
                format!("lower the minimum to {MOST_VALUES}, or set `magnitudes.majority` to \"show\""),
            ));
        }
        self.dominance.check(id)?;
        self.perturbation.check(id)?;
        self.rounding.check(id)?;
        tagged::check(self, id)?;
        if self.domains.complete_up_to > self.size.max_rows {
            return Err(Problem::new(
                &codes::SDC_POLICY_CONTRADICTION,
                format!(
                    "policy `{id}`: `domains.complete_up_to` ({}) is more than `size.max_rows` ({})",
                    self.domains.complete_up_to, self.size.max_rows
                ),
                "complete no more rows than may leave",
            ));
        }
        if !self.can_compare() {
            return Err(Problem::new(
                &codes::SDC_POLICY_CONTRADICTION,
                format!(
                    "policy `{id}`: `ledger.keep` with a minimum of {} people, and sketches tell at most {MAX_CAPACITY} apart",
                    self.largest_minimum()
                ),
                format!("lower the minimum to {MAX_CAPACITY}, or set `ledger.keep` to false"),
            ));
        }
        Ok(())
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_draws;
