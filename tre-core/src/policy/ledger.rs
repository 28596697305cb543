//! The ledger's parameters: whether what has left is remembered, and what becomes of a value that is too near to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MinimumUnits, Refusals, RulePack};
use crate::sketch::{MAX_CAPACITY, SketchShape};

/// Comparison with everything that has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerRule {
    /// Whether answers are remembered and compared. Without it, the difference of two answers can be one person.
    pub keep: bool,
    /// What becomes of a value over nearly the same people as one that has left: fewer than `units.minimum` apart.
    pub differing: Differing,
    /// Tags of columns that say something sensitive. A value over exactly the people of another that was asked with
    /// other conditions on such columns is suppressed: it would say that all of them meet the condition.
    pub sensitive: Vec<String>,
    /// Answers of one user in 24 hours in which the ledger changed a value; all further ones are referred.
    pub refusals_per_user: Refusals,
    /// The same for all users of a project together.
    pub refusals_per_project: Refusals,
}

/// What becomes of a value over nearly the same people as one that has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Differing {
    /// It is answered with the value that has left; where that was suppressed, it is suppressed. Says least.
    Snap,
    /// A person decides about the answer.
    Refer,
    /// It is suppressed.
    Suppress,
}

impl RulePack {
    /// The sketches that the ledger needs of the data worker; `None` where no ledger is kept.
    pub fn sketch(&self) -> Option<SketchShape> {
        self.ledger
            .keep
            .then(|| SketchShape::for_minimum(self.units.minimum.get()))
    }
}

impl LedgerRule {
    /// Whether sketches can tell sets apart that differ by fewer than `minimum` people.
    pub(super) fn can_compare(&self, minimum: MinimumUnits) -> bool {
        !self.keep || minimum.get() <= MAX_CAPACITY
    }
}
