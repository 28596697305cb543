//! A granted table as the engine reads it: the permit's columns and rows, before any expression of the analyst's.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::common::DFSchema;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr as SqlExpr;
use datafusion::physical_expr::expressions::Column as PhysicalColumn;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr, create_physical_expr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use tre_core::grant::GrantedTable;
use tre_core::ids::ColumnName;
use tre_core::manifest::{UNIT_COLUMN, UNIT_TYPE};
use tre_core::types::ColumnType;

use super::BATCH_ROWS;
use super::files::{FileKey, SealedFile, arrow_error, coded_type, shared};
use super::pseudonym::Pseudonyms;

/// A granted table and its open files.
#[derive(Debug)]
pub(super) struct GrantedFiles {
    pub(super) granted: GrantedTable,
    files: Vec<SealedFile>,
    pseudonyms: Arc<Pseudonyms>,
    /// The permit's row condition over the stored columns, compiled.
    filter: Option<Arc<dyn PhysicalExpr>>,
    /// Rows of a public table, decoded once per worker.
    public: OnceLock<Vec<RecordBatch>>,
}

impl GrantedFiles {
    /// Opens the files of a table.
    ///
    /// # Errors
    /// When a file does not fit its key, place or manifest, or the row condition does not fit the columns.
    pub(super) fn new(
        granted: GrantedTable,
        files: Vec<(File, FileKey)>,
        pseudonyms: Arc<Pseudonyms>,
    ) -> Result<Self> {
        let stored = shared(stored_schema(&granted));
        let mut opened = Vec::with_capacity(files.len());
        for ((file, key), manifest) in files.into_iter().zip(&granted.files) {
            let place = format!("{}/{}/{}", granted.version, granted.table, manifest.name);
            opened.push(SealedFile::open(file, &key, &place, &stored)?);
        }
        let filter = match &granted.row_filter {
            None => None,
            Some(condition) => {
                let shown = DFSchema::try_from(shown_schema(&granted))?;
                let expr = super::exprs::named(condition, &granted.stored)?;
                Some(create_physical_expr(
                    &expr,
                    &shown,
                    &Default::default(),
                    &Default::default(),
                )?)
            }
        };
        Ok(GrantedFiles {
            granted,
            files: opened,
            pseudonyms,
            filter,
            public: OnceLock::new(),
        })
    }

    /// Schema that plans see: the unit first (private tables), then the permitted columns in the permit's order.
    pub(super) fn permitted_schema(&self) -> SchemaRef {
        let unit = (!self.granted.public).then(|| Field::new(UNIT_COLUMN, UNIT_TYPE, false));
        let columns = self
            .granted
            .permitted_columns()
            .map(|column| Field::new(column.name.as_str(), column.column_type.arrow(), true));
        shared(Schema::new(unit.into_iter().chain(columns).collect::<Vec<_>>()))
    }

    /// The same, with these text columns as codes of a dictionary. Entities are numbers until they are shown.
    fn coded_schema(&self, coded: &BTreeSet<ColumnName>) -> SchemaRef {
        let schema = self.permitted_schema();
        let is_coded = |name: &str| {
            let mut columns = self.granted.permitted_columns();
            columns.any(|column| {
                column.name.as_str() == name
                    && column.column_type == ColumnType::Text
                    && column.entity.is_none()
                    && coded.contains(&column.name)
            })
        };
        let fields = schema.fields().iter().map(|field| match is_coded(field.name()) {
            true => Arc::new(field.as_ref().clone().with_data_type(coded_type())),
            false => Arc::clone(field),
        });
        shared(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Rows of one file, at these positions of a schema of [`Self::coded_schema`], rows outside of the permit left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn read(
        self: &Arc<Self>,
        range: usize,
        positions: &[usize],
        schema: &Schema,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + Send + use<>> {
        let schema = shared(schema.project(positions).map_err(arrow_error)?);
        let unit = usize::from(!self.granted.public);
        // File positions: of every output column, and of what the row condition reads.
        let mut wanted = Vec::with_capacity(positions.len());
        for position in positions {
            wanted.push(match position.checked_sub(unit) {
                None => 0,
                Some(index) => {
                    let name = self.granted.columns.get(index);
                    let stored = name
                        .and_then(|name| self.granted.permitted(name))
                        .map(|(stored, _)| stored + unit);
                    stored.ok_or_else(|| DataFusionError::Internal(format!("no permitted column {index}")))?
                }
            });
        }
        let mut read = wanted.clone();
        if let Some(filter) = &self.filter {
            let columns = datafusion::physical_expr::utils::collect_columns(filter);
            read.extend(columns.into_iter().map(|column| column.index() + unit));
        }
        read.sort_unstable();
        read.dedup();
        let file = self.files.get(range).ok_or_else(|| {
            DataFusionError::Internal(format!("table `{}` has no range {range}", self.granted.table))
        })?;
        let coded = wanted.iter().zip(schema.fields());
        let coded = coded.filter(|(_, field)| *field.data_type() == coded_type());
        let coded: Vec<usize> = coded.map(|(position, _)| *position).collect();
        let reader = file.read(&read, &coded, BATCH_ROWS)?;
        let table = Arc::clone(self);
        Ok(reader.map(move |batch| table.narrow(&batch.map_err(arrow_error)?, &read, &wanted, &schema)))
    }

    /// From a batch of stored columns `read` to the permitted rows of columns `wanted` (both file positions).
    fn narrow(
        &self,
        stored: &RecordBatch,
        read: &[usize],
        wanted: &[usize],
        schema: &SchemaRef,
    ) -> Result<RecordBatch> {
        let unit = usize::from(!self.granted.public);
        let mut shown: Vec<(usize, ArrayRef)> = Vec::with_capacity(read.len());
        for (position, column) in read.iter().zip(stored.columns()) {
            let meta = position
                .checked_sub(unit)
                .and_then(|index| self.granted.stored.get(index));
            let column = match meta.and_then(|meta| meta.entity.as_ref()) {
                Some(kind) => self.pseudonyms.show(kind, column)?,
                None => Arc::clone(column),
            };
            shown.push((*position, column));
        }
        let column_at = |position: usize| {
            let found = shown
                .iter()
                .find(|(p, _)| *p == position)
                .map(|(_, column)| Arc::clone(column));
            found.ok_or_else(|| DataFusionError::Internal(format!("column {position} was not read")))
        };
        let columns = wanted
            .iter()
            .map(|position| column_at(*position))
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(stored.num_rows()));
        let batch =
            RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(arrow_error)?;
        let Some(filter) = &self.filter else {
            return Ok(batch);
        };
        // The condition names stored columns by position; those that it does not read are never looked at.
        let all = shown_schema(&self.granted);
        let condition_columns = (0..self.granted.stored.len())
            .map(|index| match column_at(index + unit) {
                Ok(column) if column.data_type() == all.field(index).data_type() => Ok(column),
                Ok(coded) => cast(&coded, all.field(index).data_type()).map_err(arrow_error),
                Err(_) => Ok(arrow::array::new_null_array(
                    all.field(index).data_type(),
                    stored.num_rows(),
                )),
            })
            .collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(stored.num_rows()));
        let input = RecordBatch::try_new_with_options(shared(all), condition_columns, &options)
            .map_err(arrow_error)?;
        let keep = filter.evaluate(&input)?.into_array(stored.num_rows())?;
        let keep = keep
            .as_boolean_opt()
            .ok_or_else(|| DataFusionError::Execution("the row condition is not Boolean".to_owned()))?;
        // NULL drops the row, as false does.
        filter_record_batch(&batch, keep).map_err(arrow_error)
    }

    /// The permitted rows of a public table, all permitted columns, decoded once.
    fn public_rows(self: &Arc<Self>) -> Result<&[RecordBatch]> {
        if self.public.get().is_none() {
            let schema = self.permitted_schema();
            let positions: Vec<usize> = (0..schema.fields().len()).collect();
            let mut rows = Vec::new();
            for range in 0..self.files.len() {
                for batch in self.read(range, &positions, &schema)? {
                    rows.push(batch?);
                }
            }
            let _ = self.public.set(rows);
        }
        Ok(self.public.get().map_or(&[], Vec::as_slice))
    }

    /// Columns of a public table by name.
    ///
    /// # Errors
    /// When a column is not permitted.
    pub(super) fn public_columns(self: &Arc<Self>, columns: &[ColumnName]) -> Result<Vec<RecordBatch>> {
        let schema = self.permitted_schema();
        let positions = columns
            .iter()
            .map(|name| schema.index_of(name.as_str()).map_err(arrow_error))
            .collect::<Result<Vec<_>>>()?;
        self.public_rows()?
            .iter()
            .map(|batch| batch.project(&positions).map_err(arrow_error))
            .collect()
    }
}

/// Schema of the files.
fn stored_schema(granted: &GrantedTable) -> Schema {
    let unit = (!granted.public).then(|| Field::new(UNIT_COLUMN, UNIT_TYPE, false));
    let columns = granted
        .stored
        .iter()
        .map(|column| Field::new(column.name.as_str(), column.stored_type(), true));
    Schema::new(unit.into_iter().chain(columns).collect::<Vec<_>>())
}

/// Stored columns as conditions see them: entities as text.
fn shown_schema(granted: &GrantedTable) -> Schema {
    let columns = granted
        .stored
        .iter()
        .map(|c| Field::new(c.name.as_str(), c.column_type.arrow(), true));
    Schema::new(columns.collect::<Vec<_>>())
}

/// The unit range that a plan is run on: an extension of the session's configuration.
#[derive(Debug)]
pub(super) struct UnitRange(pub(super) usize);

/// A granted table: the [`UnitRange`] of it that a plan is run on; for a public table, all of it.
#[derive(Debug)]
pub(super) struct PermittedTable {
    files: Arc<GrantedFiles>,
    schema: SchemaRef,
}

impl PermittedTable {
    /// A table as plans see it, these text columns as codes of a dictionary.
    pub(super) fn new(files: Arc<GrantedFiles>, coded: &BTreeSet<ColumnName>) -> Self {
        let schema = files.coded_schema(coded);
        PermittedTable { files, schema }
    }

    /// Rows of a public table in this schema.
    fn public_rows(&self) -> Result<Vec<RecordBatch>> {
        let batches = self.files.public_rows()?.iter();
        let batches = batches.map(|batch| {
            let columns = batch.columns().iter().zip(self.schema.fields());
            let columns = columns.map(|(column, field)| match column.data_type() == field.data_type() {
                true => Ok(Arc::clone(column)),
                false => cast(column, field.data_type()),
            });
            let columns = columns.collect::<std::result::Result<Vec<_>, _>>();
            RecordBatch::try_new(self.schema(), columns.map_err(arrow_error)?).map_err(arrow_error)
        });
        batches.collect()
    }
}

#[async_trait]
impl TableProvider for PermittedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[SqlExpr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.files.granted.public {
            let rows = self.public_rows()?;
            return MemTable::try_new(self.schema(), vec![rows])?
                .scan(state, projection, filters, limit)
                .await;
        }
        let positions: Vec<usize> = match projection {
            Some(positions) => positions.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let schema = shared(self.schema.project(&positions).map_err(arrow_error)?);
        // Files are sorted by unit: the order that evidence needs.
        let unit = positions
            .iter()
            .position(|position| *position == 0)
            .and_then(|index| {
                let column: Arc<dyn PhysicalExpr> = Arc::new(PhysicalColumn::new(UNIT_COLUMN, index));
                LexOrdering::new([PhysicalSortExpr::new_default(column)])
            });
        let stream = RangeStream {
            files: Arc::clone(&self.files),
            positions,
            table: self.schema(),
            schema: Arc::clone(&schema),
        };
        let exec = StreamingTableExec::try_new(schema, vec![Arc::new(stream)], None, unit, false, limit)?;
        Ok(Arc::new(exec))
    }
}

/// The rows of a range.
#[derive(Debug)]
struct RangeStream {
    files: Arc<GrantedFiles>,
    positions: Vec<usize>,
    /// Of the table.
    table: SchemaRef,
    /// Of the positions.
    schema: SchemaRef,
}

impl PartitionStream for RangeStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let range = context.session_config().get_extension::<UnitRange>();
        let range = range.ok_or_else(|| DataFusionError::Internal("a plan is run on no range".to_owned()));
        match range.and_then(|range| self.files.read(range.0, &self.positions, &self.table)) {
            Ok(batches) => Box::pin(RecordBatchStreamAdapter::new(
                schema,
                futures::stream::iter(batches),
            )),
            Err(error) => Box::pin(RecordBatchStreamAdapter::new(
                schema,
                futures::stream::iter([Err(error)]),
            )),
        }
    }
}
