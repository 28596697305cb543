//! The manifest of a dataset version: what `tre ingest` published, by which everything else reads it.
//!
//! A version is immutable. Its manifest is the only thing that says which files belong to it, in which order their
//! units lie, and what each column means. It holds nothing secret, only the wrapped data key.

use arrow_schema::{DataType, Field, Schema};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ColumnName, DatasetName, EntityKind, PopulationName, TableName, VersionId};
use crate::types::{ColumnType, Value};

/// Name of the physical unit column in the files of a private table; holds dense numbers, never shown.
pub const UNIT_COLUMN: &str = "pid";

/// Arrow type of [`UNIT_COLUMN`].
pub const UNIT_TYPE: DataType = DataType::UInt32;

/// Everything published about one version of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version that this describes.
    pub version: VersionId,
    /// The holder's title.
    pub title: String,
    /// Datasets of one population share unit numbers and cut points.
    pub population: PopulationName,
    /// When it was published.
    pub created: Timestamp,
    /// The holder's spec in normal form (canonical JSON text), for the record.
    pub spec: String,
    /// First unit number of every unit range, ascending, beginning with 0; the last range is open.
    pub cuts: Vec<u32>,
    /// Tables in the order of the spec.
    pub tables: Vec<TableManifest>,
    /// The version's data key, wrapped by the vault's key: 12 bytes nonce, ciphertext and tag, in base64.
    pub wrapped_key: String,
}

impl Manifest {
    /// The dataset that this is a version of.
    pub fn dataset(&self) -> &DatasetName {
        self.version.dataset()
    }

    /// A table by name.
    pub fn table(&self, name: &TableName) -> Option<&TableManifest> {
        self.tables.iter().find(|table| &table.name == name)
    }
}

/// One table of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableManifest {
    /// Name in SQL.
    pub name: TableName,
    /// What the table is, in the holder's words; may be empty.
    pub description: String,
    /// Whether the table is reference data about nobody. A public table has no unit column.
    pub public: bool,
    /// Stored columns in the order of the spec, the unit column not among them.
    pub columns: Vec<ColumnMeta>,
    /// Private: one file per unit range, in the order of the ranges. Public: one file.
    pub files: Vec<FileManifest>,
    /// Rows in all files.
    pub rows: u64,
}

impl TableManifest {
    /// A stored column by name.
    pub fn column(&self, name: &ColumnName) -> Option<(usize, &ColumnMeta)> {
        self.columns
            .iter()
            .enumerate()
            .find(|(_, column)| &column.name == name)
    }

    /// Schema of the table's files: the unit first (private tables), then the columns in order.
    pub fn file_schema(&self) -> Schema {
        let unit = (!self.public).then(|| Field::new(UNIT_COLUMN, UNIT_TYPE, false));
        let columns = self
            .columns
            .iter()
            .map(|c| Field::new(c.name.as_str(), c.stored_type(), true));
        Schema::new(unit.into_iter().chain(columns).collect::<Vec<_>>())
    }
}

/// What is known of a stored column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMeta {
    /// Name in SQL.
    pub name: ColumnName,
    /// Type in SQL; an entity column is [`ColumnType::Text`] there.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// In the holder's words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Set when the column identifies a protected entity: stored as a dense `UInt32`, shown as a pseudonym.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<EntityKind>,
    /// Set when the column may be summed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Bounds>,
    /// The declared domain (`values`, or lower bounds of `bands`), in the declared order; `None`: undeclared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Vec<Value>>,
    /// What the values mean to rule packs, e.g. `icd10`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// `table.column` of the public table that holds coarser levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchy: Option<String>,
    /// How the holder coarsened it, in words, e.g. `month`; empty: kept as it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub generalised: String,
}

impl ColumnMeta {
    /// Arrow type in the files.
    pub fn stored_type(&self) -> DataType {
        if self.entity.is_some() {
            DataType::UInt32
        } else {
            self.column_type.arrow()
        }
    }
}

/// Declared bounds of a measure: values outside were clamped at ingest, so they hold for every row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Smallest value, of the column's type.
    pub min: Value,
    /// Largest value, of the column's type.
    pub max: Value,
}

/// One encrypted Parquet file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileManifest {
    /// Name in the version's directory; also in the key derivation and the AAD.
    pub name: String,
    /// Rows in the file.
    pub rows: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// SHA-256 of the bytes on disk, lower-case hex.
    pub sha256: String,
}
