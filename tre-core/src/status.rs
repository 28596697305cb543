//! What was done to a value, and by which rule. Above the frontier every value travels with its status; a value that
//! is computed from several takes the worst of theirs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was done to a value, from nothing to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The value is the true one (magnitudes: to the policy's significant digits).
    Shown,
    /// Answered with the value already published.
    Snapped,
    /// Rounded to a base.
    Rounded,
    /// Perturbed by its cell key.
    Perturbed,
    /// Noise was added.
    Noised,
    /// Not shown: NULL.
    Suppressed,
}

/// The rule that caused a status, as it stands in `disclosure`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// No rule: the value is shown.
    None,
    /// A rounding base of the policy.
    Base,
    /// Noise that the policy has for counts.
    CellKey,
    /// All values behind the cell are the same.
    SameValue,
    /// More than half of the units have the same value, and too few another.
    Majority,
    /// Too few units share the smallest or largest value.
    Extreme,
    /// One or two units make up too much of a sum.
    Dominance,
    /// Too few degrees of freedom behind a sum.
    DegreesOfFreedom,
    /// The cell differs from another value of its row by too few units.
    Complement,
    /// The cell, with others, adds up to one of a coarser level, and some of these others are not shown.
    Level,
    /// All units of its line are in one category.
    ClassDisclosure,
    /// Too few units.
    Threshold,
    /// No unit at all, where the policy does not show zeros.
    Zero,
    /// The value of a tagged key of which the policy shows nothing.
    Tag,
    /// Too few units behind the row's label.
    RareLabel,
    /// The cell is over nearly the units of one that has left before.
    Differing,
}

const STATUSES: [Status; 6] = [
    Status::Shown,
    Status::Snapped,
    Status::Rounded,
    Status::Perturbed,
    Status::Noised,
    Status::Suppressed,
];
const RULES: [Rule; 16] = [
    Rule::None,
    Rule::Base,
    Rule::CellKey,
    Rule::SameValue,
    Rule::Majority,
    Rule::Extreme,
    Rule::Dominance,
    Rule::DegreesOfFreedom,
    Rule::Complement,
    Rule::Level,
    Rule::ClassDisclosure,
    Rule::Threshold,
    Rule::Zero,
    Rule::Tag,
    Rule::RareLabel,
    Rule::Differing,
];

/// A status and its rule as one number, ordered so that the maximum of two is the worse. Travels beside each value in
/// an `Int32` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(i32);

/// Smallest code of a suppressed value: a computed value with a code at or above it is NULL.
pub const SUPPRESSED_FROM: i32 = (Status::Suppressed as i32) * 100;

impl StatusCode {
    /// Nothing was done.
    pub const SHOWN: StatusCode = StatusCode(0);

    /// The code of a status and its rule.
    pub const fn new(status: Status, rule: Rule) -> Self {
        StatusCode(status as i32 * 100 + rule as i32)
    }

    /// Reads a code from a message; `None` if no status or rule has this number.
    pub fn from_i32(code: i32) -> Option<Self> {
        let status = usize::try_from(code / 100).ok()?;
        let rule = usize::try_from(code % 100).ok()?;
        (code >= 0 && status < STATUSES.len() && rule < RULES.len()).then_some(StatusCode(code))
    }

    /// The number.
    pub fn as_i32(self) -> i32 {
        self.0
    }

    /// What was done.
    pub fn status(self) -> Status {
        usize::try_from(self.0 / 100)
            .ok()
            .and_then(|i| STATUSES.get(i).copied())
            .unwrap_or(Status::Suppressed)
    }

    /// By which rule.
    pub fn rule(self) -> Rule {
        usize::try_from(self.0 % 100)
            .ok()
            .and_then(|i| RULES.get(i).copied())
            .unwrap_or(Rule::None)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Shown => "shown",
            Status::Snapped => "snapped",
            Status::Rounded => "rounded",
            Status::Perturbed => "perturbed",
            Status::Noised => "noised",
            Status::Suppressed => "suppressed",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::None => "none",
            Rule::Base => "base",
            Rule::CellKey => "cell-key",
            Rule::SameValue => "same-value",
            Rule::Majority => "majority",
            Rule::Extreme => "extreme",
            Rule::Dominance => "dominance",
            Rule::DegreesOfFreedom => "degrees-of-freedom",
            Rule::Complement => "complement",
            Rule::Level => "level",
            Rule::ClassDisclosure => "class-disclosure",
            Rule::Threshold => "threshold",
            Rule::Zero => "zero",
            Rule::Tag => "tag",
            Rule::RareLabel => "rare-label",
            Rule::Differing => "differing",
        })
    }
}

/// Renders the `disclosure` text of one row: items `column: status (rule)` joined by `; `, empty when nothing was
/// done to any value.
pub fn disclosure<'a>(columns: impl Iterator<Item = (&'a str, StatusCode)>) -> String {
    let mut text = String::new();
    for (column, code) in columns {
        if code.status() == Status::Shown {
            continue;
        }
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&format!("{column}: {} ({})", code.status(), code.rule()));
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn codes_round_trip_and_order_by_severity() {
        for status in STATUSES {
            for rule in RULES {
                let code = StatusCode::new(status, rule);
                assert_eq!(StatusCode::from_i32(code.as_i32()).unwrap(), code);
                assert_eq!((code.status(), code.rule()), (status, rule));
            }
        }
        assert!(
            StatusCode::new(Status::Suppressed, Rule::None)
                > StatusCode::new(Status::Rounded, Rule::RareLabel)
        );
        assert_eq!(
            StatusCode::new(Status::Suppressed, Rule::None).as_i32(),
            SUPPRESSED_FROM
        );
        assert!(StatusCode::from_i32(-1).is_none() && StatusCode::from_i32(699).is_none());
    }

    #[test]
    fn disclosure_names_only_what_was_done() {
        let suppressed = StatusCode::new(Status::Suppressed, Rule::Threshold);
        let rounded = StatusCode::new(Status::Rounded, Rule::Base);
        let row = [("n", suppressed), ("m", StatusCode::SHOWN), ("k", rounded)];
        assert_eq!(
            disclosure(row.into_iter()),
            "n: suppressed (threshold); k: rounded (base)"
        );
        assert_eq!(disclosure([("m", StatusCode::SHOWN)].into_iter()), "");
    }
}
