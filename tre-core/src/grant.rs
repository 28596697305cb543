//! A permit as the engine reads it: which stored columns and rows of which versions a project may use.
//!
//! Server, lineage and data worker all work from this one value. The desk gets the public part of it (names and
//! types); it can ask for less than the grant, never for more.

use serde::{Deserialize, Serialize};

use crate::algebra::Expr;
use crate::ids::{ColumnName, DatasetName, PopulationName, ProjectId, TableName, VersionId};
use crate::manifest::{ColumnMeta, FileManifest};

/// Everything a project may read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The project.
    pub project: ProjectId,
    /// Its tables; (dataset, table) is unique.
    pub tables: Vec<GrantedTable>,
}

impl Grant {
    /// A granted table by dataset and name.
    pub fn table(&self, dataset: &DatasetName, table: &TableName) -> Option<&GrantedTable> {
        self.tables
            .iter()
            .find(|granted| granted.version.dataset() == dataset && &granted.table == table)
    }
}

/// One table of one version, narrowed to what the permit allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantedTable {
    /// The pinned version.
    pub version: VersionId,
    /// The table's name in the version and in SQL.
    pub table: TableName,
    /// In the holder's words; may be empty.
    #[serde(default)]
    pub description: String,
    /// Reference data about nobody.
    pub public: bool,
    /// Units are comparable within a population only.
    pub population: PopulationName,
    /// First unit of every unit range; two private tables can be joined when theirs are equal.
    pub cuts: Vec<u32>,
    /// All stored columns in file order: the row filter may read columns that the project may not.
    pub stored: Vec<ColumnMeta>,
    /// Columns that the project may name.
    pub columns: Vec<ColumnName>,
    /// Condition over `stored` (by position); rows where it is not true do not exist for the project.
    pub row_filter: Option<Expr>,
    /// Files in the order of the unit ranges.
    pub files: Vec<FileManifest>,
}

impl GrantedTable {
    /// A permitted column's position among the stored columns, and its description.
    pub fn permitted(&self, name: &ColumnName) -> Option<(usize, &ColumnMeta)> {
        if !self.columns.contains(name) {
            return None;
        }
        self.stored
            .iter()
            .enumerate()
            .find(|(_, column)| &column.name == name)
    }

    /// Descriptions of the permitted columns, in the permit's order.
    pub fn permitted_columns(&self) -> impl Iterator<Item = &ColumnMeta> {
        self.columns
            .iter()
            .filter_map(|name| self.permitted(name).map(|(_, column)| column))
    }
}
