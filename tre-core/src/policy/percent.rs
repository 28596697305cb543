//! A percentage of a policy, exact to two decimal places.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::places;

/// More than 0 and at most 100 percent. Held as a whole number of hundredths of a percent, so that a comparison with a
/// sum is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    /// How many [hundredths](Self::hundredths) a whole has.
    pub const WHOLE: u32 = 10_000;

    /// The number of hundredths of a percent, 1 to [`Self::WHOLE`].
    pub fn hundredths(self) -> u32 {
        self.0
    }
}

impl TryFrom<f64> for Percent {
    type Error = String;

    fn try_from(percent: f64) -> Result<Self, String> {
        places::hundredths(percent, 1..=Percent::WHOLE)
            .map(Percent)
            .ok_or_else(|| {
                format!("`{percent}` is not a percentage: use 0.01 to 100 with at most two decimal places")
            })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        places::show(self.0, f)?;
        f.write_str(" %")
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        places::serialize(self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(places::Number {
            expecting: "a percentage",
            of: Percent::try_from,
        })
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a percentage with at most two decimal places",
            "type": "number",
            "minimum": 0.01,
            "maximum": 100
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn cases() {
        // (written, hundredths, shown); no hundredths: refused
        let cases = [
            ("10", Some(1_000), "10 %"),
            ("10.0", Some(1_000), "10 %"),
            ("43.75", Some(4_375), "43.75 %"),
            ("0.1", Some(10), "0.1 %"),
            ("0.01", Some(1), "0.01 %"),
            ("33.33", Some(3_333), "33.33 %"),
            ("5.05", Some(505), "5.05 %"),
            ("100", Some(10_000), "100 %"),
            ("0", None, "0.01 to 100"),
            ("-1", None, "0.01 to 100"),
            ("100.01", None, "0.01 to 100"),
            ("1e30", None, "0.01 to 100"),
            ("3.141", None, "two decimal places"),
            ("9999999999", None, "0.01 to 100"),
            ("\"10\"", None, "expected a percentage"),
        ];
        for (written, hundredths, part) in cases {
            match serde_json::from_str::<Percent>(written) {
                Ok(percent) => {
                    assert_eq!(Some(percent.hundredths()), hundredths, "{written}");
                    assert_eq!(percent.to_string(), part);
                    let again = serde_json::to_string(&percent).unwrap();
                    assert_eq!(serde_json::from_str::<Percent>(&again).unwrap(), percent);
                }
                Err(error) => {
                    assert_eq!(hundredths, None, "{written}");
                    assert!(error.to_string().contains(part), "{written}: {error}");
                }
            }
        }
    }
}
