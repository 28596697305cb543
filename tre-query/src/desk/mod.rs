//! The desk: SQL in, algebra out; treated cells in, answer out.
//!
//! One path: [`gate`] (text) → [`session`] (names, types) → [`cut`] (where people end) → [`lower`] (below) and
//! [`upper`] (above) → [`answer`] (values and disclosure). Nothing here can read a row about a person, so nothing
//! here has to be trusted with one: a desk that lies can ask another question than the analyst did, and gets an answer
//! that is judged all the same.

mod aggregates;
mod answer;
mod condition;
mod cut;
mod exprs;
mod gate;
mod instead;
mod joins;
mod lower;
mod moments;
mod names;
mod parts;
mod per_unit;
mod said;
mod session;
mod syntax;
mod terms;
mod unions;
mod upper;
mod windows;

pub use names::DeskTable;

use std::collections::HashMap;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::ParamValues;
use datafusion::common::scalar::ScalarValue;
use datafusion::execution::SessionState;

use tre_core::algebra::{Expr, Frontier, Node};
use tre_core::codes::{self, Problem};
use tre_core::manifest::ColumnMeta;

/// Most planned queries that a desk keeps; planning one more forgets the oldest.
const MAX_QUERIES: usize = 64;

/// A session's desk.
pub struct Desk {
    state: SessionState,
    queries: HashMap<String, answer::Pending>,
    order: std::collections::VecDeque<String>,
}

/// What a query needs and what it will answer.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Schema of the answer, `disclosure` included where it is wanted.
    pub schema: SchemaRef,
    /// One field per placeholder, in order.
    pub parameters: SchemaRef,
    /// Lower plans whose treated cells [`Desk::finish`] wants; empty for a query about nobody, and for one whose
    /// placeholders are not bound yet.
    pub frontiers: Vec<Frontier>,
    /// Public tables (as [`Node::Scan`]) whose rows [`Desk::finish`] wants.
    pub public_reads: Vec<Node>,
}

impl Desk {
    /// A desk that knows these tables.
    ///
    /// # Errors
    /// A [`Problem`] when the tables cannot be named apart or the engine cannot be set up.
    pub fn open(tables: Vec<DeskTable>) -> Result<Self, Problem> {
        Ok(Desk {
            state: session::desk_state(tables)?,
            queries: HashMap::new(),
            order: Default::default(),
        })
    }

    /// Plans one SELECT and keeps it under `query`.
    ///
    /// `parameters` is a batch of one row with one column per placeholder, `None` when nothing is bound.
    ///
    /// # Errors
    /// A [`Problem`] in the words of the analyst when the text is not one SELECT, names what does not exist, or cannot
    /// be judged.
    pub async fn plan(
        &mut self,
        query: &str,
        sql: &str,
        parameters: Option<&RecordBatch>,
        disclosure: bool,
    ) -> Result<Planned, Problem> {
        let statement = gate::admit(sql)?;
        let plan = self
            .state
            .statement_to_plan(statement)
            .await
            .map_err(|error| said::unplanned(error, &self.state))?;
        let placeholders = session::parameter_schema(&plan)?;
        let plan = match parameters {
            Some(batch) => plan
                .with_param_values(bound(batch, &placeholders)?)
                .map_err(session::planning_problem)?,
            None if placeholders.fields().is_empty() => plan,
            None => {
                let schema = answer::unbound_schema(&plan, disclosure)?;
                return Ok(Planned {
                    schema,
                    parameters: placeholders,
                    frontiers: vec![],
                    public_reads: vec![],
                });
            }
        };
        let plan = session::analyze(&self.state, plan)?;
        let cut = cut::cut(&plan).map_err(|problem| instead::of_rows(problem, &plan))?;
        let pending = answer::Pending::new(&plan, cut.upper, cut.slots, disclosure)?;
        let planned = Planned {
            schema: pending.schema(),
            parameters: placeholders,
            frontiers: cut.frontiers,
            public_reads: cut.public_reads,
        };
        self.keep(query, pending);
        Ok(planned)
    }

    /// Runs the upper plan of a planned query over its treated cells and public rows, each in the order in which
    /// [`Planned`] named them, and forgets the query.
    ///
    /// # Errors
    /// A [`Problem`] when the query is not known, the batches do not fit, or the upper plan fails.
    pub async fn finish(
        &mut self,
        query: &str,
        cells: Vec<RecordBatch>,
        public_rows: Vec<Vec<RecordBatch>>,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), Problem> {
        let pending = self.queries.remove(query).ok_or_else(|| {
            Problem::of(
                &codes::RUN_INTERNAL,
                format!("the desk does not know query `{query}`"),
            )
        })?;
        self.order.retain(|known| known != query);
        pending.run(&self.state, cells, public_rows).await
    }

    /// Forgets a planned query.
    pub fn drop_query(&mut self, query: &str) {
        self.queries.remove(query);
        self.order.retain(|known| known != query);
    }

    /// Lowers a permit's row condition over the stored columns of a table.
    ///
    /// # Errors
    /// A [`Problem`] when the text is not a condition over these columns, or uses what the algebra does not have.
    pub fn lower_filter(&self, condition: &str, columns: &[ColumnMeta]) -> Result<Expr, Problem> {
        condition::lower(&self.state, condition, columns)
    }

    fn keep(&mut self, query: &str, pending: answer::Pending) {
        if self.queries.insert(query.to_owned(), pending).is_none() {
            self.order.push_back(query.to_owned());
        }
        if self.order.len() > MAX_QUERIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.queries.remove(&oldest);
        }
    }
}

/// Parameter values from a batch of one row.
fn bound(batch: &RecordBatch, placeholders: &SchemaRef) -> Result<ParamValues, Problem> {
    let wanted = placeholders.fields().len();
    if batch.num_rows() != 1 || batch.num_columns() != wanted {
        return Err(Problem::of(
            &codes::SQL_PARAMETERS,
            format!(
                "the query has {wanted} placeholders; {} rows of {} values are bound",
                batch.num_rows(),
                batch.num_columns()
            ),
        ));
    }
    let mut values = Vec::with_capacity(wanted);
    for (column, field) in batch.columns().iter().zip(placeholders.fields()) {
        let value = ScalarValue::try_from_array(column, 0).and_then(|value| value.cast_to(field.data_type()));
        values.push(value.map_err(|_| {
            Problem::of(
                &codes::SQL_PARAMETERS,
                format!("parameter {} is not a {}", field.name(), field.data_type()),
            )
        })?);
    }
    Ok(ParamValues::from(values))
}
