//! The rules of a policy file, a table each: what they are called there and what their words mean.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::codes::{self, Problem};
use crate::ids::PolicyId;

use super::quantities::{
    DegreesOfFreedom, Jitter, KeyLimit, MinimumUnits, Reviewers, RoundingBase, RowLimit, SignificantDigits,
};

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
    /// At exits where no person decides, the minimum is this many higher at most: how many is drawn once and for all for
    /// each set of people, by a key that nobody sees.
    pub jitter: Jitter,
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

/// Groups whose people all fall into one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassRule {
    /// What becomes of a group whose people all fall into one category of a key.
    pub unanimous: Unanimous,
}

/// What becomes of a group whose people all fall into one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unanimous {
    /// It is shown.
    Show,
    /// All its categories are suppressed.
    Suppress,
    /// A person decides about the whole answer.
    Refer,
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
    /// What becomes of a sum to which more than half contribute the same, and fewer than `units.minimum` something else.
    pub majority: Showing,
    /// People with a value less one, at least, behind a sum; 0: the rule is off.
    pub degrees_of_freedom: DegreesOfFreedom,
    /// The same behind a sum of squares or products, from which variances, deviations and correlations are computed.
    pub degrees_of_freedom_of_products: DegreesOfFreedom,
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

/// What becomes of a value about which a rule cannot say by itself whether it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Undecided {
    /// It is suppressed.
    Suppress,
    /// A person decides about the whole answer.
    Refer,
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
    /// To the middle of the interval of `base` whole numbers that the value is in; zero stays zero. Base 6: 0, 3 for 1 to
    /// 6, 9 for 7 to 12.
    Midpoint {
        /// The base, an even number, in units of the value.
        base: RoundingBase,
        /// Whether sums are rounded as well as counts.
        sums: bool,
    },
    /// Each to a multiple next to it, all values of a column together, so that what they add up to by the first key, by
    /// the others and as a whole is a multiple next to the true one.
    Controlled {
        /// The base, in units of the value.
        base: RoundingBase,
        /// Whether sums are rounded as well as counts.
        sums: bool,
    },
}

impl Rounding {
    /// The base, if there is rounding.
    pub fn base(self) -> Option<RoundingBase> {
        match self {
            Rounding::None {} => None,
            Rounding::Nearest { base, .. }
            | Rounding::Midpoint { base, .. }
            | Rounding::Controlled { base, .. } => Some(base),
        }
    }

    /// Whether sums are rounded.
    pub fn covers_sums(self) -> bool {
        match self {
            Rounding::None {} => false,
            Rounding::Nearest { sums, .. }
            | Rounding::Midpoint { sums, .. }
            | Rounding::Controlled { sums, .. } => sums,
        }
    }

    pub(super) fn check(self, id: &PolicyId) -> Result<(), Problem> {
        match self {
            Rounding::Midpoint { base, .. } if base.get() % 2 != 0 => Err(Problem::new(
                &codes::SDC_POLICY_VALUE,
                format!("policy `{id}`: `rounding.base` is {base}, and an odd base has no whole midpoints"),
                "use an even base",
            )),
            Rounding::None {}
            | Rounding::Nearest { .. }
            | Rounding::Midpoint { .. }
            | Rounding::Controlled { .. } => Ok(()),
        }
    }
}

/// Keys and rows of one aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SizeRule {
    /// Keys that it may be grouped by, at most. More is decided before any data are read.
    pub max_keys: KeyLimit,
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
