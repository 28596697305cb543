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
//! | `units` | `minimum`, `zero` | people behind a value; whether a value of nobody is shown |
//! | `labels` | `minimum` | people behind a value of a key without declared domain |
//! | `domains` | `complete_up_to` | rows: products of declared domains up to here stand in the answer in full |
//! | `complement` | `minimum` | people counted by one value of a row and not by another |
//! | `magnitudes` | `significant_digits`, `contributors`, `same_value` | digits of sums; who stands behind a sum; whether equal values are shown |
//! | `rounding` | `method`, `base`, `sums` | rounding of counts, and of sums |
//! | `size` | `max_rows`, `above` | rows of one aggregation; what becomes of more |
//! | `view` | `allowed` | whether answers may leave in a session |
//! | `ledger` | `keep`, `differing`, `sensitive`, `refusals_per_user`, `refusals_per_project` | comparison with what has left; refusals per 24 hours |
//! | `release` | `reviewers` | people other than the author who agree to a file, at least; 0: it may leave by itself |

mod ledger;
mod quantities;
mod words;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::codes::{self, Problem};
use crate::ids::PolicyId;
use crate::sketch::MAX_CAPACITY;
use crate::toml_words::in_words;

pub use ledger::{Differing, LedgerRule};
pub use quantities::{MinimumUnits, Refusals, Reviewers, RoundingBase, RowLimit, SignificantDigits};

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
    /// Sums.
    pub magnitudes: MagnitudesRule,
    /// Rounding to a base.
    pub rounding: Rounding,
    /// Rows of one aggregation.
    pub size: SizeRule,
    /// Answers in a session.
    pub view: ViewExit,
    /// Files.
    pub release: ReleaseExit,
    /// Comparison with what has left.
    pub ledger: LedgerRule,
}

/// Where a policy's numbers are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Pages that say so.
    pub urls: Vec<String>,
    /// Date of the text that was read.
    #[serde(deserialize_with = "toml_date")]
    #[schemars(with = "String")]
    pub date: Date,
    /// The rules in short, in the source's words.
    pub notes: String,
    /// What the source leaves open, each with what was chosen here.
    pub open: Vec<String>,
}

/// People behind a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitsRule {
    /// A value of fewer is suppressed.
    pub minimum: MinimumUnits,
    /// What becomes of a value of nobody.
    pub zero: Showing,
}

/// People behind a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelsRule {
    /// A row whose label is not of a declared domain is left out when fewer people are behind it.
    pub minimum: MinimumUnits,
}

/// Completion of declared domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainsRule {
    /// The product of the keys' declared domains stands in the answer in full when it has at most this many rows.
    pub complete_up_to: RowLimit,
}

/// Differences of two values of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComplementRule {
    /// People counted by one value and not by another: none, or at least this many.
    pub minimum: MinimumUnits,
}

/// Sums, and what is computed from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MagnitudesRule {
    /// Digits that are kept; the rest is rounded half to even before anything else sees the sum.
    pub significant_digits: SignificantDigits,
    /// Who stands behind a sum.
    pub contributors: Contributors,
    /// What becomes of a sum of equal values.
    pub same_value: Showing,
}

/// Show or suppress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Showing {
    /// It is shown.
    Show,
    /// It is suppressed.
    Suppress,
}

/// Who stands behind a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Contributors {
    /// Everybody with a value.
    Present,
    /// Those with a value other than zero.
    Nonzero,
}

/// Rounding to multiples of a base, after suppression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "lowercase", deny_unknown_fields)]
pub enum Rounding {
    /// No rounding.
    None {},
    /// To the nearest multiple, half to the even one.
    Nearest {
        /// The base, in units of the value (not of its last decimal place).
        base: RoundingBase,
        /// Whether sums are rounded as well as counts.
        sums: bool,
    },
}

/// Rows of one aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SizeRule {
    /// Rows that may be shown, at most.
    pub max_rows: RowLimit,
    /// What becomes of an answer with more.
    pub above: Above,
}

/// What becomes of an answer that is larger than the policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Above {
    /// A person decides.
    Refer,
    /// Nothing leaves.
    Withhold,
}

/// Answers in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewExit {
    /// Whether they may leave at once, with no person in between.
    pub allowed: bool,
}

/// Files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseExit {
    /// People other than the author who have to agree, at least; 0: a file may leave by itself.
    pub reviewers: Reviewers,
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
        if !self.ledger.can_compare(self.units.minimum) {
            return Err(Problem::new(
                &codes::SDC_POLICY_CONTRADICTION,
                format!(
                    "policy `{id}`: `ledger.keep` with a `units.minimum` of {}, and sketches tell at most {MAX_CAPACITY} people apart",
                    self.units.minimum
                ),
                format!("lower `units.minimum` to {MAX_CAPACITY}, or set `ledger.keep` to false"),
            ));
        }
        Ok(())
    }
}

/// TOML's own dates, without a time.
fn toml_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let wrong = || serde::de::Error::custom("a date is written YYYY-MM-DD, without quotes");
    let text = toml::value::Datetime::deserialize(deserializer)
        .map_err(|_| wrong())?
        .to_string();
    text.parse()
        .ok()
        .filter(|_| text.len() == "YYYY-MM-DD".len())
        .ok_or_else(wrong)
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests;
