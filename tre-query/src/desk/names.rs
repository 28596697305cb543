//! What the desk knows of tables: names, types and domains, never rows.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};

use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::{DatasetName, TableName};
use tre_core::manifest::{ColumnMeta, UNIT_COLUMN, UNIT_TYPE};

/// A table as the desk may know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeskTable {
    /// The dataset; also the SQL schema.
    pub dataset: DatasetName,
    /// The table.
    pub table: TableName,
    /// Reference data about nobody.
    pub public: bool,
    /// Permitted columns.
    pub columns: Vec<ColumnMeta>,
}

impl DeskTable {
    /// The tables of a grant, without what the desk need not know.
    pub fn of_grant(grant: &Grant) -> Vec<DeskTable> {
        grant.tables.iter().map(DeskTable::of_granted).collect()
    }

    fn of_granted(granted: &GrantedTable) -> DeskTable {
        DeskTable {
            dataset: granted.version.dataset().clone(),
            table: granted.table.clone(),
            public: granted.public,
            columns: granted.permitted_columns().cloned().collect(),
        }
    }

    /// Columns in SQL: `pid` first for a table about people.
    pub fn schema(&self) -> Schema {
        let unit = (!self.public).then(|| Field::new(UNIT_COLUMN, UNIT_TYPE, false));
        let columns = self
            .columns
            .iter()
            .map(|c| Field::new(c.name.as_str(), c.column_type.arrow(), true));
        Schema::new(unit.into_iter().chain(columns).collect::<Vec<_>>())
    }
}

/// The planner's view of a table. It can be named, and cannot be read.
#[derive(Debug)]
pub(super) struct NamedTable {
    pub(super) table: DeskTable,
    schema: SchemaRef,
}

impl NamedTable {
    pub(super) fn new(table: DeskTable) -> Self {
        let schema = Arc::new(table.schema());
        NamedTable { table, schema }
    }

    /// Type of a column as the planner sees it.
    pub(super) fn is_unit(&self, position: usize) -> bool {
        !self.table.public && position == 0
    }
}

#[async_trait]
impl TableProvider for NamedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Err(DataFusionError::Internal(
            "the desk has no rows of this table".to_owned(),
        ))
    }
}

/// The type of a column in answers: text is Utf8 whatever the engine used.
pub(super) fn answer_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        other => other.clone(),
    }
}
