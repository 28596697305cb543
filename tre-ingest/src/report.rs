//! What an ingest did, for people and scripts. Rendering belongs to the command line.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use tre_core::codes::Problem;
use tre_core::spec::Doubt;

use crate::reason::Reason;

/// Most rejected rows whose places a report shows; all are in the rejects file.
pub const SHOWN_REJECTS: usize = 20;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A new version is there.
    Published,
    /// The same content under the same spec is there already; nothing was written.
    Unchanged,
}

/// Report of one ingest.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// The version's id.
    pub version: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Units (persons) with at least one row in this version.
    pub units: u64,
    /// Units that the population's registry now knows; absent where nothing changed.
    pub population_units: Option<u64>,
    /// Tables in the order of the spec.
    pub tables: Vec<TableReport>,
    /// Rejected rows.
    pub rejects: RejectReport,
}

/// What became of one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct TableReport {
    /// Its name.
    pub table: String,
    /// Whether it is about nobody.
    pub public: bool,
    /// Files that were read.
    pub files: usize,
    /// Rows that were read.
    pub rows_read: u64,
    /// Rows that are stored.
    pub rows_stored: u64,
    /// Bytes of the stored files; 0 where nothing was written.
    pub bytes_stored: u64,
    /// Columns of the files that the spec does not list, and that are therefore not stored.
    pub dropped_columns: Vec<String>,
    /// Values outside `min` and `max`, by column.
    pub clamped: BTreeMap<String, u64>,
    /// Stored columns that may hold direct identifiers; none of a public table.
    pub doubts: Vec<ColumnDoubt>,
}

/// A column that the holder should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ColumnDoubt {
    /// Its name in SQL.
    pub column: String,
    /// Why.
    pub why: Doubt,
}

/// Rejected rows: counts, and where the first are. Never a value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct RejectReport {
    /// All of them.
    pub rows: u64,
    /// How many the spec allows.
    pub max_rows: u64,
    /// By table, column and class; the column is empty where the whole record is malformed.
    pub counts: Vec<RejectCount>,
    /// The first [`SHOWN_REJECTS`].
    pub first: Vec<RejectPlace>,
}

/// Rejected rows of one class.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RejectCount {
    /// The table.
    pub table: String,
    /// The column, as the file names it; empty where the whole record is malformed.
    pub column: String,
    /// The class.
    #[schemars(with = "String")]
    pub reason: Reason,
    /// How many.
    pub rows: u64,
}

/// Where a rejected row stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RejectPlace {
    /// The file, relative to the spec.
    pub file: String,
    /// Line of a CSV file (the header is line 1), row of a Parquet file (from 1).
    pub line: u64,
    /// The column, as the file names it; empty where the whole record is malformed.
    pub column: String,
    /// The class.
    #[schemars(with = "String")]
    pub reason: Reason,
}

/// An ingest that was refused or failed. Nothing of it is left.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct Failure {
    /// Why.
    pub problem: Problem,
    /// Which rows could not be used, where that is the reason.
    pub rejects: Option<Box<RejectReport>>,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure {
            problem,
            rejects: None,
        }
    }
}

/// The published JSON schema of reports.
pub fn report_json_schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}
