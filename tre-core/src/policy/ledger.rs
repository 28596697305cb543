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
    /// Tags of columns that say something sensitive. A value over the people of another, or nearly, that was asked with
    /// other conditions on such columns is never shown as it is: it would say that all of them meet the condition.
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
    /// The sketches that the ledger needs of the data worker; `None` where no ledger is kept. They name as many people
    /// as the largest minimum of any tag.
    pub fn sketch(&self) -> Option<SketchShape> {
        let least = self.units.minimum.get().max(self.largest_minimum().div_ceil(2));
        self.ledger.keep.then(|| SketchShape::for_minimum(least))
    }

    /// The largest number of people that any value can need.
    pub(super) fn largest_minimum(&self) -> u32 {
        let by_tag = self.tagged.iter().filter_map(|rule| rule.strictest());
        by_tag.fold(self.units.minimum, MinimumUnits::max).get()
    }

    /// Whether sketches can tell sets apart that differ by fewer people than the largest minimum.
    pub(super) fn can_compare(&self) -> bool {
        !self.ledger.keep || self.largest_minimum() <= MAX_CAPACITY
    }
}
