//! What a policy says of noise on counts: the cell-key method's table of transition probabilities, by its parameters or
//! listed.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codes::{self, Problem};
use crate::ids::PolicyId;

use super::{Deviation, SmallCount, places};

/// Largest deviation that a listed table may have.
const LARGEST_LISTED: i32 = 1_000;

/// Noise of counts, drawn by a key of the people behind each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Perturbation {
    /// There is none.
    None {},
    /// Noise of the largest entropy under these parameters, with a mean of zero.
    CellKey {
        /// How far a count is changed at most.
        deviation: Deviation,
        /// The variance of the noise.
        variance: Variance,
        /// No positive count up to here is shown; 0: all may be.
        small: SmallCount,
    },
    /// Noise by a table.
    Listed {
        /// One entry per count, from 1; the last holds for all larger counts.
        table: Vec<NoiseOfCount>,
    },
}

/// The noise of one count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoiseOfCount {
    /// The count.
    pub count: u32,
    /// Pairs of what is added to it and a weight; the probability is the weight's share of all weights.
    pub noise: Vec<(i32, u32)>,
}

/// The variance of noise: 0.01 to 400, with at most two decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variance(u32);

impl Variance {
    /// Largest number of hundredths.
    const MOST: u32 = 40_000;

    /// The variance.
    pub fn get(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl Perturbation {
    /// Whether noise is drawn.
    pub fn is_drawn(&self) -> bool {
        match self {
            Perturbation::None {} => false,
            Perturbation::CellKey { .. } | Perturbation::Listed { .. } => true,
        }
    }

    pub(super) fn check(&self, id: &PolicyId) -> Result<(), Problem> {
        match self {
            Perturbation::None {} => Ok(()),
            Perturbation::CellKey {
                deviation,
                variance,
                small,
            } => check_parameters(*deviation, *variance, *small, id),
            Perturbation::Listed { table } => check_table(table, id),
        }
    }
}

/// Whether there is noise with these parameters for every count.
///
/// Noise with a mean of zero that leads from i to at most i + D and never below 0 has a variance of at most i·D, which is
/// smallest for i = 1. Where it may not lead to 1..=s, a count i up to s goes to 0 or above s at least: a variance of
/// i·(s + 1 - i), which is largest in the middle.
fn check_parameters(
    deviation: Deviation,
    variance: Variance,
    small: SmallCount,
    id: &PolicyId,
) -> Result<(), Problem> {
    if small.get() >= deviation.get() {
        return Err(Problem::new(
            &codes::SDC_POLICY_CONTRADICTION,
            format!(
                "policy `{id}`: `perturbation.small` is {small}, and noise of up to {deviation} does not lead past it"
            ),
            "use a `small` below `deviation`",
        ));
    }
    let least = (small.get() + 1).pow(2) / 4;
    let most = deviation.get();
    if variance.0 > least * 100 && variance.0 < most * 100 {
        return Ok(());
    }
    Err(Problem::new(
        &codes::SDC_POLICY_CONTRADICTION,
        format!(
            "policy `{id}`: `perturbation.variance` is {variance}, and with these parameters noise has one above {least} \
             and below {most}"
        ),
        "use a variance between the two, or a larger `deviation`",
    ))
}

/// Whether the table has an entry for every count, and leaves each of them what it is on average.
fn check_table(table: &[NoiseOfCount], id: &PolicyId) -> Result<(), Problem> {
    let wrong = |what: String| {
        Err(Problem::new(
            &codes::SDC_POLICY_VALUE,
            format!("policy `{id}`: `perturbation.table`: {what}"),
            "give pairs of noise and weight for every count from 1; noise times weight adds up to zero",
        ))
    };
    if table.is_empty() {
        return wrong("it is empty".to_owned());
    }
    for (i, NoiseOfCount { count, noise }) in table.iter().enumerate() {
        if usize::try_from(*count).ok() != Some(i + 1) {
            return wrong(format!("entry {} is for a count of {count}", i + 1));
        }
        let least = i32::try_from(*count).map_or(i32::MIN, |count| -count);
        for (j, (step, weight)) in noise.iter().enumerate() {
            if *step < least || step.unsigned_abs() > LARGEST_LISTED.unsigned_abs() {
                return wrong(format!("a count of {count} cannot be changed by {step}"));
            }
            if *weight == 0 || noise.iter().take(j).any(|(other, _)| other == step) {
                return wrong(format!(
                    "the noise {step} of a count of {count} has no weight or stands twice"
                ));
            }
        }
        let mean: i64 = noise
            .iter()
            .map(|(step, weight)| i64::from(*step) * i64::from(*weight))
            .sum();
        if noise.is_empty() || mean != 0 {
            return wrong(format!("the noise of a count of {count} does not add up to zero"));
        }
    }
    Ok(())
}

impl TryFrom<f64> for Variance {
    type Error = String;

    fn try_from(variance: f64) -> Result<Self, String> {
        places::hundredths(variance, 1..=Variance::MOST)
            .map(Variance)
            .ok_or_else(|| {
                format!("`{variance}` is not a variance: use 0.01 to 400 with at most two decimal places")
            })
    }
}

impl fmt::Display for Variance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        places::show(self.0, f)
    }
}

impl Serialize for Variance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        places::serialize(self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Variance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(places::Number {
            expecting: "a variance",
            of: Variance::try_from,
        })
    }
}

impl JsonSchema for Variance {
    fn schema_name() -> Cow<'static, str> {
        "Variance".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a variance with at most two decimal places",
            "type": "number",
            "minimum": 0.01,
            "maximum": 400
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
    use super::*;

    fn read(text: &str) -> Result<Perturbation, String> {
        let rule: Perturbation = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        rule.check(&"test".parse().unwrap())
            .map_err(|problem| problem.what)?;
        Ok(rule)
    }

    #[test]
    fn cases() {
        let listed = |table: &str| format!("method = \"listed\"\ntable = [{table}]");
        // (case, policy, part of the refusal; none: it is read)
        let cases = [
            ("none", "method = \"none\"".to_owned(), None),
            ("ESSnet's example", cell_key(2, "1.08", 1), None),
            ("any count may come", cell_key(2, "0.9", 0), None),
            ("a whole number", cell_key(5, "3", 2), None),
            (
                "too wide for a count of 1",
                cell_key(2, "2", 0),
                Some("above 0 and below 2"),
            ),
            (
                "too narrow to pass small counts",
                cell_key(5, "2", 2),
                Some("above 2 and below 5"),
            ),
            (
                "small counts beyond the noise",
                cell_key(2, "1", 2),
                Some("does not lead past it"),
            ),
            (
                "three decimal places",
                cell_key(2, "1.085", 1),
                Some("not a variance"),
            ),
            ("no variance", cell_key(2, "0", 1), Some("not a variance")),
            (
                "a key of the other method",
                cell_key(2, "1", 0) + "\ntable = []",
                Some("table"),
            ),
            ("an empty table", listed(""), Some("it is empty")),
            (
                "a table",
                listed("{ count = 1, noise = [[-1, 77], [1, 69], [2, 4]] }"),
                None,
            ),
            (
                "a table that leaves out a count",
                listed("{ count = 2, noise = [[0, 1]] }"),
                Some("entry 1 is for a count of 2"),
            ),
            (
                "below zero",
                listed("{ count = 1, noise = [[-2, 1], [2, 1]] }"),
                Some("cannot be changed by -2"),
            ),
            (
                "biased",
                listed("{ count = 1, noise = [[-1, 2], [1, 1]] }"),
                Some("does not add up to zero"),
            ),
            (
                "no noise at all",
                listed("{ count = 1, noise = [] }"),
                Some("does not add up"),
            ),
            (
                "twice",
                listed("{ count = 1, noise = [[0, 1], [0, 1]] }"),
                Some("stands twice"),
            ),
        ];
        for (case, text, part) in cases {
            match (read(&text), part) {
                (Ok(rule), None) => {
                    let again = toml::to_string(&rule).unwrap();
                    assert_eq!(read(&again).unwrap(), rule, "{case}");
                }
                (Err(what), Some(part)) => assert!(what.contains(part), "{case}: {what}"),
                (other, _) => panic!("{case}: {other:?}"),
            }
        }
    }

    fn cell_key(deviation: u32, variance: &str, small: u32) -> String {
        format!("method = \"cell-key\"\ndeviation = {deviation}\nvariance = {variance}\nsmall = {small}")
    }
}
