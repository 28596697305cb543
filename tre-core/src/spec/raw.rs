//! The spec as a holder writes it, before anything is checked beyond keys and kinds of values; also the source of the
//! published JSON schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A dataset spec (SPEC.toml): what the holder's files mean and how they are made coarser and pseudonymous on their
/// way in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "TRE dataset spec")]
pub(super) struct RawSpec {
    /// Name of the dataset: a-z, 0-9, `-`, `_`.
    pub dataset: String,
    /// What the dataset is, in one line.
    pub title: String,
    /// Datasets of one population share units (persons).
    pub population: String,
    /// The tables.
    #[serde(default)]
    pub table: Vec<RawTable>,
    /// What to do with rows that do not parse.
    #[serde(default)]
    pub rejects: RawRejects,
}

/// How many rows may fail to parse before the whole ingest fails.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRejects {
    /// Rows that may be rejected, 0 to 1,000,000; 0 when left out.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_rows: i64,
}

/// One table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTable {
    /// Name in SQL.
    pub name: String,
    /// What the table is, in one line.
    #[serde(default)]
    pub description: String,
    /// Files, relative to the spec: .csv, .csv.gz or .parquet; `*` and `?` are wildcards.
    pub files: Vec<String>,
    /// Whose rows these are; in SQL the column `pid`. Required unless the table is public.
    pub unit: Option<RawUnit>,
    /// Other protected parties: kind of entity = the column that names it. The column keeps its name.
    #[serde(default)]
    pub entity: BTreeMap<String, String>,
    /// Reference data about nobody.
    #[serde(default)]
    pub public: bool,
    /// The columns to keep. Others are dropped and reported.
    #[serde(default)]
    pub columns: BTreeMap<String, RawColumn>,
}

/// The unit (person) of a row.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUnit {
    /// Its column in the files, by the header's name.
    pub column: String,
    /// How different spellings of one identifier become one.
    pub canon: RawCanon,
}

/// Canonical forms of identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawCanon {
    /// NFKC, all dashes one, no white space around.
    Text,
    /// Digits only; full-width ones, spaces, dashes and leading zeros do not count.
    Digits,
    /// Japanese insured person: insurer (8 digits):symbol:number:branch (2 digits or empty), as JP Core has it.
    JpMemberId,
}

/// One column that is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawColumn {
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: RawType,
    /// The header's name for it in the files, if it differs from the name in SQL.
    pub source: Option<String>,
    /// How it is made coarser: `"month"`, `{ bands = [lower bounds] }`, `{ top = N }` or `{ prefix = N }`.
    #[schemars(with = "Option<RawGeneralise>")]
    pub generalise: Option<toml::Value>,
    /// Smallest value of a measure; smaller ones are clamped and counted.
    #[schemars(with = "Option<f64>")]
    pub min: Option<toml::Value>,
    /// Largest value of a measure; larger ones are clamped and counted.
    #[schemars(with = "Option<f64>")]
    pub max: Option<toml::Value>,
    /// Decimal places kept, for float and decimal.
    #[schemars(range(min = 0, max = 18))]
    pub scale: Option<i64>,
    /// The declared domain; rows with another value are rejected.
    #[schemars(with = "Option<Vec<RawValue>>")]
    pub values: Option<Vec<toml::Value>>,
    /// What the values mean to rule packs, e.g. `icd10`.
    pub tag: Option<String>,
    /// `table.column` of a public table of this spec that holds coarser levels.
    pub hierarchy: Option<String>,
    /// What the column is, in one line.
    #[serde(default)]
    pub description: String,
    /// `true`: a direct identifier (an error, since it would be stored); `false`: the holder has looked and says that
    /// it is none, whatever its values look like.
    pub identifier: Option<bool>,
}

/// Types of columns in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawType {
    /// 64-bit integer.
    Int,
    /// A number, rounded to `scale` decimal places.
    Float,
    /// A number of at most `scale` decimal places, exactly.
    Decimal,
    /// true or false.
    Bool,
    /// Text.
    Text,
    /// ISO 8601 date.
    Date,
    /// ISO 8601 date and time; UTC if it does not say.
    Timestamp,
}

/// Shape of `generalise` in the JSON schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    reason = "describes the schema; values are read by hand for better messages"
)]
pub(super) enum RawGeneralise {
    /// First day of the month.
    Month(Month),
    /// Lower bounds, ascending.
    Bands(Bands),
    /// Larger numbers become this one.
    Top(Top),
    /// The first characters only.
    Prefix(Prefix),
}

/// The word.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes the schema")]
pub(super) enum Month {
    /// First day of the month.
    Month,
}

/// `{ bands = […] }`
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the schema")]
pub(super) struct Bands {
    /// Lower bounds, ascending.
    bands: Vec<f64>,
}

/// `{ top = N }`
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the schema")]
pub(super) struct Top {
    /// The largest value kept.
    top: f64,
}

/// `{ prefix = N }`
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the schema")]
pub(super) struct Prefix {
    /// Characters kept.
    #[schemars(range(min = 1, max = 1000))]
    prefix: u32,
}

/// A declared value in the JSON schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the schema")]
pub(super) enum RawValue {
    /// Of an int column.
    Int(i64),
    /// Of a bool column.
    Bool(bool),
    /// Of a text column.
    Text(String),
}
