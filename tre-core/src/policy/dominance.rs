//! What a policy says of sums that one or two people dominate.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{self, Problem};
use crate::ids::PolicyId;

use super::{Largest, Percent, Undecided};

/// Whether sums are judged by their largest contributions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "lowercase", deny_unknown_fields)]
pub enum DominanceRule {
    /// They are not.
    None {},
    /// By all of these rules: a sum that breaks one of them is suppressed.
    Rules {
        /// At least one.
        rules: Vec<Concentration>,
        /// What becomes of a sum with values below zero, for which dominance is not defined.
        negative: Undecided,
    },
}

/// A rule about the largest contributions to a sum. A contribution is what one person adds to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Concentration {
    /// What is left of the sum without its two largest contributions is at least `p` of the largest.
    PPercent {
        /// How near the second largest contributor may come to the largest contribution.
        p: Percent,
    },
    /// As [`PPercent`](Self::PPercent), where everybody knows each contribution to within `q` of it beforehand.
    Pq {
        /// How near the second largest contributor may come.
        p: Percent,
        /// How near everybody is beforehand; more than `p`.
        q: Percent,
    },
    /// The `n` largest contributions together make up at most `k` of the sum.
    Nk {
        /// How many.
        n: Largest,
        /// The largest share.
        k: Percent,
    },
}

impl DominanceRule {
    pub(super) fn check(&self, id: &PolicyId) -> Result<(), Problem> {
        let DominanceRule::Rules { rules, .. } = self else {
            return Ok(());
        };
        if rules.is_empty() {
            return Err(Problem::new(
                &codes::SDC_POLICY_CONTRADICTION,
                format!("policy `{id}`: `dominance.rules` is empty, and `method` says that there are rules"),
                "name a rule, or use method \"none\"",
            ));
        }
        for rule in rules {
            if let Concentration::Pq { p, q } = rule
                && p >= q
            {
                return Err(Problem::new(
                    &codes::SDC_POLICY_CONTRADICTION,
                    format!("policy `{id}`: the pq rule has p = {p} and q = {q}: nobody could come nearer"),
                    "use a `p` smaller than `q`",
                ));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Concentration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Concentration::PPercent { p } => write!(f, "p% rule, p = {p}"),
            Concentration::Pq { p, q } => write!(f, "pq rule, p = {p}, q = {q}"),
            Concentration::Nk { n, k } => write!(f, "(n,k) rule, n = {}, k = {k}", n),
        }
    }
}
