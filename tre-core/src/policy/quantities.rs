//! Quantities of policies. Each is checked when it is read, so that a policy in memory cannot hold an impossible one.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $min:literal, $max:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "u32")]
        pub struct $name(u32);

        impl $name {
            /// The number.
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = String;
            fn try_from(number: i64) -> Result<Self, String> {
                match u32::try_from(number) {
                    Ok(small) if ($min..=$max).contains(&small) => Ok($name(small)),
                    _ => Err(format!(concat!("`{}` is not ", $what, ": use ", $min, " to ", $max), number)),
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $what, "type": "integer", "minimum": $min, "maximum": $max })
            }
        }

        impl From<$name> for u32 {
            fn from(quantity: $name) -> u32 {
                quantity.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

quantity!(
    /// Fewest people. A minimum of 1 is met by anybody: the rule is off.
    MinimumUnits, 1, 1_000_000, "a minimum of people"
);
quantity!(
    /// People by which a minimum is raised at most.
    Jitter, 0, 1_000, "a number of people more"
);
quantity!(
    /// How far a perturbed count is from the true one at most.
    Deviation, 1, 20, "a largest deviation"
);
quantity!(
    /// The largest positive count that perturbation never leads to; 0: there is none.
    SmallCount, 0, 19, "a small count"
);
quantity!(
    /// Decimal digits that are kept of a sum, counted from the first that is not zero. 38 keeps all.
    SignificantDigits, 1, 38, "a number of significant digits"
);
quantity!(
    /// The number of which rounded values are multiples.
    RoundingBase, 2, 1_000_000, "a rounding base"
);
quantity!(
    /// Rows of an answer.
    RowLimit, 0, 100_000_000, "a limit of rows"
);
quantity!(
    /// How many of the largest contributions are looked at: the evidence of a sum has two of them.
    Largest, 1, 2, "a number of largest contributions"
);
quantity!(
    /// Keys that an aggregation is grouped by.
    KeyLimit, 0, 100, "a limit of keys"
);
quantity!(
    /// Degrees of freedom of a mean: the people behind it less one. 0 switches the rule off.
    DegreesOfFreedom, 0, 1_000_000, "a number of degrees of freedom"
);
quantity!(
    /// People other than the author who look at an output.
    Reviewers, 0, 100, "a number of reviewers"
);
quantity!(
    /// Answers in 24 hours whose refusals depend on data.
    Refusals, 0, 1_000_000, "a number of refusals"
);

impl MinimumUnits {
    /// Whether `units` people are enough; nobody is not.
    pub fn is_met_by(self, units: u64) -> bool {
        units >= u64::from(self.0)
    }

    /// The minimum with so many people more.
    pub fn raised_by(self, more: u32) -> Self {
        MinimumUnits(self.0.saturating_add(more))
    }

    /// Whether `units` is nobody, or enough people.
    pub fn none_or_enough(self, units: u64) -> bool {
        units == 0 || self.is_met_by(units)
    }
}
