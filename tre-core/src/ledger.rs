//! The ledger: every base cell that any exit has let out or suppressed, so that new ones can be compared with it.
//!
//! An [`Answer`] is what one query, check or release adds: whole or not at all. It holds no labels and no names of
//! people: groups, plans and keys stand there as digests, people as unit sets. It does hold treated values and how many
//! people stand behind each, so it is sealed at rest and never leaves the server.

use std::collections::BTreeSet;
use std::fmt;

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{PopulationName, ProjectId, QueryId, TableName, UserName, VersionId};
use crate::permit::ExitName;
use crate::sketch::{Shares, UnitSet};
use crate::status::{Status, StatusCode};

/// What one answer adds to the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The query.
    pub query: QueryId,
    /// Whose permit.
    pub project: ProjectId,
    /// Who asked.
    pub user: UserName,
    /// The way out.
    pub exit: ExitName,
    /// When.
    pub at: Timestamp,
    /// Whether the ledger changed or stopped it in a way that depends on data: such answers are counted and capped.
    pub refused: bool,
    /// Its frontiers; none when it was stopped, since then nothing has left.
    pub parts: Vec<Part>,
}

/// The cells of one frontier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Units are comparable within it.
    pub population: PopulationName,
    /// What was asked.
    pub question: Question,
    /// By fewer people two values may not differ.
    pub minimum: u32,
    /// The sets of units behind the cells, each once.
    pub sets: Vec<UnitSet>,
    /// The cells.
    pub cells: Vec<Cell>,
}

/// What was asked, as far as comparisons need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Digest of the rows that were selected and of the keys that they were grouped by; the aggregates do not count.
    pub plan: Digest,
    /// Digest of the keys alone, as expressions over stored columns.
    pub keys: Digest,
    /// Whether a row of people's data has one value of the keys, so that rows of two groups are different rows.
    pub keys_part_rows: bool,
    /// The private tables that were read, with their versions.
    pub tables: BTreeSet<Table>,
    /// Digests of the conditions, keys and joins that read a column with a sensitive tag.
    pub sensitive: BTreeSet<Digest>,
}

/// A private table of a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The dataset's version.
    pub version: VersionId,
    /// The table.
    pub table: TableName,
    /// How many times the plan has read it before: joined with itself it has other rows.
    pub times: u32,
}

/// One base cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Digest of its keys' values.
    pub group: Digest,
    /// Its units: an index into [`Part::sets`].
    pub set: u32,
    /// What was computed.
    pub measure: Measure,
    /// What each unit gives to it.
    pub shares: Shares,
    /// The condition of the aggregate itself (FILTER, CASE), if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Digest>,
    /// Whether every unit has exactly one row, so that a count of rows counts people.
    pub row_per_unit: bool,
    /// What was done to it.
    #[serde(with = "code")]
    pub status: StatusCode,
    /// The treated value, unscaled; `None` where it was suppressed.
    pub value: Option<i128>,
    /// Decimal places of the value.
    pub scale: i8,
}

impl Cell {
    /// Whether its value has left.
    pub fn is_shown(&self) -> bool {
        self.status.status() != Status::Suppressed
    }
}

/// What a cell says of its units.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many there are.
    People,
    /// How many rows they have, of those where the argument is not NULL.
    Rows(Option<String>),
    /// The sum of the argument over their rows.
    Sum(String),
    /// The smallest value of the argument over their rows.
    Smallest(String),
    /// The largest.
    Largest(String),
    /// The co-moment of the two factors of the argument.
    Comoment(String),
}

/// The first 16 bytes of a SHA-256: equal for equal things, and of 10^9 different ones no two meet (below 10^-20).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

impl Digest {
    /// Of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        let mut first = [0; 16];
        first
            .iter_mut()
            .zip(digest.as_ref())
            .for_each(|(to, from)| *to = *from);
        Digest(first)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", BASE64.encode(&self.0))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = from_base64(deserializer)?;
        let bytes = bytes.try_into();
        bytes
            .map(Digest)
            .map_err(|_| serde::de::Error::custom("not 16 bytes"))
    }
}

/// A set is its count and its words, little-endian, in base64.
impl Serialize for UnitSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.units(), text_of(self.words())).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for UnitSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (units, text) = <(u64, String)>::deserialize(deserializer)?;
        let set = words_of(&text).and_then(|words| UnitSet::new(units, words));
        set.ok_or_else(|| serde::de::Error::custom("not a unit set"))
    }
}

/// Shares are their words, little-endian, in base64.
impl Serialize for Shares {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text_of(self.words()))
    }
}

impl<'de> Deserialize<'de> for Shares {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = words_of(&String::deserialize(deserializer)?);
        let shares = words.and_then(|words| Shares::new(&words));
        shares.ok_or_else(|| serde::de::Error::custom("not shares"))
    }
}

fn text_of(words: &[u64]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    BASE64.encode(&bytes)
}

fn words_of(text: &str) -> Option<Vec<u64>> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    let (words, rest) = bytes.as_chunks::<8>();
    rest.is_empty()
        .then(|| words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64
        .decode(text.as_bytes())
        .map_err(|_| serde::de::Error::custom("not base64"))
}

/// A status as its number.
mod code {
    use super::*;

    pub(super) fn serialize<S: Serializer>(code: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
        code.as_i32().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
        let number = i32::deserialize(deserializer)?;
        StatusCode::from_i32(number).ok_or_else(|| serde::de::Error::custom("no status has this number"))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::sketch::{SketchShape, Sketcher};
    use crate::status::Rule;

    fn answer() -> Answer {
        let sketcher = Sketcher::new(&[1; 32], SketchShape::for_minimum(10));
        let mut set = UnitSet::empty(sketcher.shape());
        (0..12).for_each(|unit| set.add(&sketcher.vector(unit)));
        let cell = Cell {
            group: Digest::of(b"f"),
            set: 0,
            when: None,
            measure: Measure::Sum("liver.visit.cost".to_owned()),
            shares: {
                let mut shares = Shares::default();
                (0..12).for_each(|unit| shares.add(&sketcher.share(unit, 1, -7)));
                shares
            },
            row_per_unit: false,
            status: StatusCode::new(Status::Rounded, Rule::Base),
            value: Some(-(10_i128.pow(38) - 1)),
            scale: 2,
        };
        Answer {
            query: QueryId::from_random([7; 10]),
            project: "liver-outcomes".parse().unwrap(),
            user: "alice".parse().unwrap(),
            exit: ExitName::View,
            at: "2026-03-04T05:06:07Z".parse().unwrap(),
            refused: false,
            parts: vec![Part {
                population: "clinic".parse().unwrap(),
                question: Question {
                    plan: Digest::of(b"plan"),
                    keys: Digest::of(b"keys"),
                    keys_part_rows: true,
                    tables: BTreeSet::from([Table {
                        version: "liver@aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
                        table: "visit".parse().unwrap(),
                        times: 0,
                    }]),
                    sensitive: BTreeSet::new(),
                },
                minimum: 10,
                sets: vec![set],
                cells: vec![cell],
            }],
        }
    }

    #[test]
    fn an_answer_reads_as_it_was_written() {
        let answer = answer();
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer);
    }

    #[test]
    fn what_was_not_written_by_us_is_not_read() {
        let text = serde_json::to_string(&answer()).unwrap();
        let short = text.replace(&BASE64.encode(&Digest::of(b"f").0), &BASE64.encode(b"short"));
        assert!(
            serde_json::from_str::<Answer>(&short).is_err(),
            "a digest too short"
        );
        for (case, from, to) in [
            ("a status without rule", "\"status\":201", "\"status\":299"),
            (
                "a key of the future",
                "\"refused\":false",
                "\"refused\":false,\"jitter\":1",
            ),
            ("a set of half a word", "[12,\"", "[12,\"AAAA"),
            ("shares too short", "\"shares\":\"", "\"shares\":\"AAAAAAAAAAA="),
            ("a missing key", "\"refused\":false,", ""),
        ] {
            assert!(text.contains(from), "{case}: nothing to replace");
            assert!(
                serde_json::from_str::<Answer>(&text.replace(from, to)).is_err(),
                "{case}"
            );
        }
    }
}
