//! The answer: the upper plan run over treated cells, and its `disclosure` column.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::Int32Type;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr as SqlExpr, LogicalPlan, Projection};
use datafusion::physical_plan::{ExecutionPlan, collect};

use tre_core::codes::{self, Problem};
use tre_core::status::{StatusCode, disclosure};

use super::cut::Slots;
use super::names::answer_type;
use super::session::{first_line, planning_problem};
use super::upper::Upper;

/// Name of the last column of every answer.
pub(super) const DISCLOSURE: &str = "disclosure";

/// A table of the upper plan whose rows arrive later.
#[derive(Debug)]
pub(super) struct SlotTable {
    schema: SchemaRef,
    rows: Mutex<Option<Vec<RecordBatch>>>,
}

impl SlotTable {
    /// An empty slot.
    pub(super) fn new(schema: SchemaRef) -> Self {
        SlotTable {
            schema,
            rows: Mutex::new(None),
        }
    }

    /// The slot of a frontier's treated cells: keys, values, and a status per value.
    pub(super) fn cells(keys: Vec<DataType>, values: Vec<DataType>) -> Self {
        let statuses = (0..values.len()).map(|i| Field::new(format!("s{i}"), DataType::Int32, false));
        let keys = keys
            .into_iter()
            .enumerate()
            .map(|(i, ty)| Field::new(format!("k{i}"), ty, true));
        let values = values
            .into_iter()
            .enumerate()
            .map(|(i, ty)| Field::new(format!("v{i}"), ty, true));
        let fields: Vec<Field> = keys.chain(values).chain(statuses).collect();
        SlotTable::new(Arc::new(Schema::new(fields)))
    }

    /// Fills the slot. Columns are taken by position and converted to the slot's types.
    fn fill(&self, batches: Vec<RecordBatch>) -> Result<(), Problem> {
        let unfit = || Problem::of(&codes::RUN_INTERNAL, "treated cells do not fit the query");
        let mut rows = Vec::with_capacity(batches.len());
        for batch in batches {
            if batch.num_columns() != self.schema.fields().len() {
                return Err(unfit());
            }
            let columns = batch
                .columns()
                .iter()
                .zip(self.schema.fields())
                .map(|(column, field)| cast(column, field.data_type()))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| unfit())?;
            rows.push(RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|_| unfit())?);
        }
        *self.rows.lock().unwrap_or_else(PoisonError::into_inner) = Some(rows);
        Ok(())
    }
}

#[async_trait]
impl TableProvider for SlotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[SqlExpr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let rows = rows.ok_or_else(|| DataFusionError::Internal("a slot is not filled".to_owned()))?;
        MemTable::try_new(self.schema(), vec![rows])?
            .scan(state, projection, filters, limit)
            .await
    }
}

/// A planned query that waits for its cells.
pub(super) struct Pending {
    plan: LogicalPlan,
    slots: Slots,
    schema: SchemaRef,
    /// Names of the answer's columns, and the position of each one's status in the plan's output.
    columns: Vec<(String, Option<usize>)>,
    disclosure: bool,
}

/// Schema of an answer whose placeholders are not bound.
///
/// # Errors
/// A [`Problem`] when a column has a reserved name.
pub(super) fn unbound_schema(plan: &LogicalPlan, disclosure: bool) -> Result<SchemaRef, Problem> {
    answer_schema(plan, disclosure)
}

fn answer_schema(plan: &LogicalPlan, disclosure: bool) -> Result<SchemaRef, Problem> {
    let mut fields = Vec::new();
    for field in plan.schema().fields() {
        if field.name().eq_ignore_ascii_case(DISCLOSURE) {
            return Err(Problem::of(
                &codes::SQL_RESERVED,
                format!("a column is called `{}`", field.name()),
            ));
        }
        fields.push(Field::new(field.name(), answer_type(field.data_type()), true));
    }
    if disclosure {
        fields.push(Field::new(DISCLOSURE, DataType::Utf8, false));
    }
    Ok(Arc::new(Schema::new(fields)))
}

impl Pending {
    /// Puts the visible columns first and their statuses after them.
    ///
    /// # Errors
    /// A [`Problem`] when a column has a reserved name.
    pub(super) fn new(
        original: &LogicalPlan,
        upper: Upper,
        slots: Slots,
        disclosure: bool,
    ) -> Result<Self, Problem> {
        let schema = answer_schema(original, disclosure)?;
        let mut exprs: Vec<SqlExpr> = original
            .schema()
            .columns()
            .into_iter()
            .map(SqlExpr::Column)
            .collect();
        let mut columns = Vec::with_capacity(exprs.len());
        for (field, status) in original.schema().fields().iter().zip(&upper.statuses) {
            let position = status.as_ref().map(|status| {
                exprs.push(SqlExpr::Column(status.clone()));
                exprs.len() - 1
            });
            columns.push((field.name().clone(), position));
        }
        // A query may name one status twice (`SELECT n, n`); a projection may not.
        let exprs = exprs
            .into_iter()
            .enumerate()
            .map(|(i, expr)| {
                if i < columns.len() {
                    expr.alias(format!("__v{i}"))
                } else {
                    expr.alias(format!("__t{i}"))
                }
            })
            .collect();
        let plan = Projection::try_new(exprs, Arc::new(upper.plan)).map_err(planning_problem)?;
        Ok(Pending {
            plan: LogicalPlan::Projection(plan),
            slots,
            schema,
            columns,
            disclosure,
        })
    }

    /// Schema of the answer.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Fills the slots and runs the plan.
    ///
    /// # Errors
    /// A [`Problem`] when batches are missing or do not fit, or the plan fails over the treated values.
    pub(super) async fn run(
        self,
        state: &SessionState,
        cells: Vec<RecordBatch>,
        public_rows: Vec<Vec<RecordBatch>>,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), Problem> {
        if cells.len() != self.slots.cells.len() || public_rows.len() != self.slots.public.len() {
            return Err(Problem::of(
                &codes::RUN_INTERNAL,
                "the query was given other parts than it asked for",
            ));
        }
        for (slot, batch) in self.slots.cells.iter().zip(cells) {
            slot.fill(vec![batch])?;
        }
        for (slot, batches) in self.slots.public.iter().zip(public_rows) {
            slot.fill(batches)?;
        }
        let failed = |error: DataFusionError| {
            Problem::new(
                &codes::SQL_NOT_ALLOWED,
                format!(
                    "the part of the query above the aggregation failed: {}",
                    first_line(&error)
                ),
                "change the expressions over the aggregated values",
            )
        };
        let optimized = state.optimize(&self.plan).map_err(failed)?;
        let physical = state
            .query_planner()
            .create_physical_plan(&optimized, state)
            .await
            .map_err(failed)?;
        let batches = collect(physical, state.task_ctx()).await.map_err(failed)?;
        let answered = batches
            .iter()
            .map(|batch| self.render(batch))
            .collect::<Result<Vec<_>, _>>()?;
        Ok((self.schema, answered))
    }

    /// One batch of the plan's output as a batch of the answer.
    fn render(&self, batch: &RecordBatch) -> Result<RecordBatch, Problem> {
        let internal = |what: &str| Problem::of(&codes::RUN_INTERNAL, format!("the answer has no {what}"));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        for (column, field) in batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .take(self.columns.len())
        {
            columns.push(cast(column, field.data_type()).map_err(|_| internal("column of this type"))?);
        }
        if self.disclosure {
            let mut texts = Vec::with_capacity(batch.num_rows());
            for row in 0..batch.num_rows() {
                let mut items = Vec::new();
                for (name, status) in &self.columns {
                    let Some(codes) = status.and_then(|i| batch.columns().get(i)) else {
                        continue;
                    };
                    let codes = codes
                        .as_primitive_opt::<Int32Type>()
                        .ok_or_else(|| internal("statuses"))?;
                    if codes.is_valid(row) {
                        let code =
                            StatusCode::from_i32(codes.value(row)).ok_or_else(|| internal("such status"))?;
                        items.push((name.as_str(), code));
                    }
                }
                texts.push(disclosure(items.into_iter()));
            }
            columns.push(Arc::new(StringArray::from(texts)));
        }
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|_| internal("columns of its schema"))
    }
}
