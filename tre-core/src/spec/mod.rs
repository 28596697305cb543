//! The holder's spec: what the files mean, how values are made coarser and people pseudonymous on their way in.
//!
//! [`Spec::parse`] reads the TOML text once into types in which a contradiction cannot be written: a measure has both
//! bounds, a public table has no unit, a domain has the type of its column. Every error names line, table and column,
//! and what to do. What follows (readers, generalisation, manifest) does not check again.
//!
//! [`Spec::normal_form`] is the text that enters the version id: the meaning without the files that the bytes came
//! from, without comments and formatting, so that moving or splitting files makes no new version.

mod column;
mod doubts;
mod identifiers;
mod locate;
mod normal;
mod number;
mod raw;
mod validate;

pub use doubts::{Doubt, doubt};
pub use identifiers::{MIN_VALUES, Pattern, Suspicion};
pub use number::{Digits, NotDecimal, parse_decimal};

use crate::codes::Problem;
use crate::ids::{ColumnName, DatasetName, EntityKind, PopulationName, TableName};
use crate::manifest::{Bounds, ColumnMeta};
use crate::types::{ColumnType, Value};

/// Most rows that a spec may let be rejected; their places are kept in memory until they are written.
pub const MAX_REJECTS: u64 = 1_000_000;

/// A checked spec.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Name of the dataset.
    pub dataset: DatasetName,
    /// The holder's title, one line, not empty.
    pub title: String,
    /// Datasets of one population share unit numbers.
    pub population: PopulationName,
    /// At least one; names are unique.
    pub tables: Vec<Table>,
    /// Rows that may be rejected, in all tables together; at most [`MAX_REJECTS`].
    pub max_rejects: u64,
}

/// A table of a spec.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Name in SQL.
    pub name: TableName,
    /// In the holder's words; may be empty.
    pub description: String,
    /// Paths or patterns as written, relative to the spec; at least one.
    pub files: Vec<String>,
    /// Whose rows these are; `None`: a public table, about nobody.
    pub unit: Option<UnitSource>,
    /// Other protected parties. Stored before [`Table::columns`].
    pub entities: Vec<EntitySource>,
    /// Columns that are kept, in the order of the spec.
    pub columns: Vec<Column>,
}

/// Where the unit of a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSource {
    /// Column of the files, by the header's name.
    pub column: String,
    /// How spellings of one identifier become one.
    pub canon: Canon,
}

/// Where an entity stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitySource {
    /// What it is, e.g. `facility`.
    pub kind: EntityKind,
    /// Its column, under the same name in files and SQL.
    pub column: ColumnName,
}

/// Canonical form of identifiers before they are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canon {
    /// NFKC, all dashes one, no white space around.
    Text,
    /// Digits without leading zeros.
    Digits,
    /// Insurer, symbol, number and branch of a Japanese insured person.
    JpMemberId,
}

/// A column that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name in SQL.
    pub name: ColumnName,
    /// Name in the files.
    pub source: String,
    /// How text becomes a value.
    pub parse: Parse,
    /// How the value is made coarser.
    pub coarsen: Coarsen,
    /// Bounds to which a number is clamped, before it is made coarser.
    pub bounds: Option<Bounds>,
    /// Declared values; another one rejects the row. The domain of bands is in [`Coarsen::Bands`].
    pub values: Option<Vec<Value>>,
    /// What the values mean to rule packs.
    pub tag: Option<String>,
    /// Public table and column with coarser levels.
    pub hierarchy: Option<(TableName, ColumnName)>,
    /// In the holder's words; may be empty.
    pub description: String,
    /// The holder has looked: whatever the values look like, they identify nobody.
    pub harmless: bool,
}

/// How the text of a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parse {
    /// 64-bit integer.
    Int,
    /// Number in units of 10^-`scale`.
    Decimal {
        /// Decimal places kept, 0 to 18.
        scale: u8,
        /// What happens to further digits: rounded (`float`) or refused (`decimal`).
        digits: Digits,
    },
    /// True or false.
    Bool,
    /// Text.
    Text,
    /// ISO 8601 date.
    Date,
    /// ISO 8601 date and time.
    Timestamp,
}

impl Parse {
    /// The type in files and SQL. Generalisation does not change it.
    pub fn column_type(self) -> ColumnType {
        match self {
            Parse::Int => ColumnType::Int,
            Parse::Decimal { scale, .. } => ColumnType::Decimal { scale },
            Parse::Bool => ColumnType::Bool,
            Parse::Text => ColumnType::Text,
            Parse::Date => ColumnType::Date,
            Parse::Timestamp => ColumnType::Timestamp,
        }
    }
}

/// How values are made coarser.
#[derive(Debug, Clone, PartialEq)]
pub enum Coarsen {
    /// Not at all.
    Keep,
    /// To the largest of these lower bounds that is not above the value; ascending, of the column's type. A value under
    /// the first rejects its row.
    Bands(Vec<Value>),
    /// To the first day of the month; of a timestamp, its first instant.
    Month,
    /// Larger numbers to this one.
    Top(Value),
    /// To the first characters (Unicode scalar values), 1 to 1000.
    Prefix(u16),
}

impl Coarsen {
    /// In words, for schema listings; empty for [`Coarsen::Keep`].
    pub fn describe(&self) -> String {
        match self {
            Coarsen::Keep => String::new(),
            Coarsen::Bands(_) => "bands".to_owned(),
            Coarsen::Month => "month".to_owned(),
            Coarsen::Top(top) => format!("top {}", normal::value_text(top)),
            Coarsen::Prefix(characters) => format!("prefix {characters}"),
        }
    }
}

impl Spec {
    /// Reads a spec from its TOML text.
    pub fn parse(text: &str) -> Result<Spec, Problem> {
        validate::parse(text)
    }

    /// The meaning of the spec as canonical JSON: fixed keys in fixed order, no files, no limits on rejects.
    pub fn normal_form(&self) -> String {
        normal::normal_form(self)
    }
}

impl Table {
    /// Whether the table is reference data about nobody.
    pub fn is_public(&self) -> bool {
        self.unit.is_none()
    }

    /// Stored columns as the manifest describes them: entities, then columns; the unit is not among them.
    pub fn column_metas(&self) -> Vec<ColumnMeta> {
        let entities = self.entities.iter().map(|entity| ColumnMeta {
            name: entity.column.clone(),
            column_type: ColumnType::Text,
            description: String::new(),
            entity: Some(entity.kind.clone()),
            measure: None,
            domain: None,
            tag: None,
            hierarchy: None,
            generalised: String::new(),
        });
        entities.chain(self.columns.iter().map(Column::meta)).collect()
    }
}

impl Column {
    /// The declared domain: values, or lower bounds of bands.
    pub fn domain(&self) -> Option<&[Value]> {
        match &self.coarsen {
            Coarsen::Bands(bounds) => Some(bounds),
            Coarsen::Keep | Coarsen::Month | Coarsen::Top(_) | Coarsen::Prefix(_) => self.values.as_deref(),
        }
    }

    /// Bounds of a measure: a number with bounds that is kept as it is.
    pub fn measure(&self) -> Option<&Bounds> {
        self.bounds.as_ref().filter(|_| self.coarsen == Coarsen::Keep)
    }

    fn meta(&self) -> ColumnMeta {
        ColumnMeta {
            name: self.name.clone(),
            column_type: self.parse.column_type(),
            description: self.description.clone(),
            entity: None,
            measure: self.measure().cloned(),
            domain: self.domain().map(<[Value]>::to_vec),
            tag: self.tag.clone(),
            hierarchy: self
                .hierarchy
                .as_ref()
                .map(|(table, column)| format!("{table}.{column}")),
            generalised: self.coarsen.describe(),
        }
    }
}

/// The published JSON schema of specs.
pub fn spec_json_schema() -> serde_json::Value {
    schemars::schema_for!(raw::RawSpec).to_value()
}

#[cfg(test)]
mod malformed;
#[cfg(test)]
mod tests;
