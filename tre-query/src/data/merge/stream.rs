//! Two streams sorted by unit, side by side.
//!
//! The left stream leads. For its row under way, all right rows of that unit are at hand, and usually those of many more:
//! whole batches are taken, and rows of units that the left stream has passed are dropped.

use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::concat_batches;
use arrow::datatypes::UInt32Type;
use datafusion::common::JoinType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use super::Condition;
use super::pairs::{Pairs, Rows};
use crate::data::files::arrow_error;

/// The joined rows, by unit.
pub(super) fn merged(
    left: SendableRecordBatchStream,
    right: SendableRecordBatchStream,
    condition: &Condition,
    context: &TaskContext,
) -> SendableRecordBatchStream {
    let merge = Merge {
        window: Rows::of(RecordBatch::new_empty(right.schema()), condition.units.1, vec![]),
        left: Side::new(left, condition.units.0),
        right: Side::new(right, condition.units.1),
        condition: condition.clone(),
        leading: None,
        at: 0,
        cursor: 0,
        batch_rows: context.session_config().batch_size(),
        reservation: MemoryConsumer::new("join on the unit").register(context.memory_pool()),
    };
    let schema = condition.schema.clone();
    let batches = futures::stream::try_unfold(merge, |mut merge| async move {
        Ok(merge.next().await?.map(|batch| (batch, merge)))
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

struct Merge {
    condition: Condition,
    left: Side,
    right: Side,
    /// The left batch under way.
    leading: Option<Rows>,
    /// Its first row that is not done.
    at: usize,
    /// Right rows: all of the unit under way, and more.
    window: Rows,
    /// A row of the window before which there are only units that the left stream has passed.
    cursor: usize,
    batch_rows: usize,
    reservation: MemoryReservation,
}

impl Merge {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let leading = match self.leading.take().filter(|rows| self.at < rows.units.len()) {
                Some(leading) => leading,
                None => {
                    let Some(batch) = self.left.next().await? else {
                        return Ok(None);
                    };
                    self.at = 0;
                    let keys = self.condition.equalities.iter().map(|(left, _)| left);
                    let keys = keys.map(|key| key.evaluate(&batch)?.into_array(batch.num_rows()));
                    let keys = keys.collect::<Result<_>>()?;
                    Rows::of(batch, self.condition.units.0, keys)
                }
            };
            if let Some(unit) = leading.units.values().get(self.at) {
                self.fill(*unit).await?;
            }
            let output = self.step(&leading)?;
            self.leading = Some(leading);
            if output.is_some() {
                return Ok(output);
            }
        }
    }

    /// Sees to it that the window has all right rows of a unit.
    async fn fill(&mut self, unit: u32) -> Result<()> {
        let passed = |units: &UInt32Array| units.values().partition_point(|of| *of < unit);
        if self.right.ended || self.window.last().is_some_and(|last| last > unit) {
            return Ok(());
        }
        let mut parts = vec![self.window.batch.clone()];
        let from = passed(&self.window.units);
        if let Some(window) = parts.first_mut() {
            *window = window.slice(from, window.num_rows() - from);
        }
        while let Some(batch) = self.right.next().await? {
            let units = units(&batch, self.right.unit);
            let from = passed(&units);
            parts.push(batch.slice(from, batch.num_rows() - from));
            if units.values().last().is_some_and(|last| *last > unit) {
                break;
            }
        }
        parts.retain(|part| part.num_rows() > 0);
        let batch = match parts.as_slice() {
            [part] => part.clone(),
            parts => concat_batches(&self.window.batch.schema(), parts).map_err(arrow_error)?,
        };
        let keys = self.condition.equalities.iter().map(|(_, right)| right);
        let keys = keys.map(|key| key.evaluate(&batch)?.into_array(batch.num_rows()));
        let keys = keys.collect::<Result<_>>()?;
        self.reservation.try_resize(batch.get_array_memory_size())?;
        self.window = Rows::of(batch, self.condition.units.1, keys);
        self.cursor = 0;
        Ok(())
    }

    /// Joins left rows that the window has all partners of: at least one row, and about as many pairs as a batch has
    /// rows.
    fn step(&mut self, leading: &Rows) -> Result<Option<RecordBatch>> {
        let partners = self.window.units.values();
        let whole = if self.right.ended {
            None
        } else {
            self.window.last()
        };
        // Whether somebody has a partner at all is seen without making pairs.
        let only_whether = matches!(self.condition.kind, JoinType::LeftSemi | JoinType::LeftAnti)
            && !self.condition.asks_for_more();
        let (mut pairs, mut matched) = (Pairs::default(), vec![]);
        let from = self.at;
        for (row, unit) in leading.units.values().iter().enumerate().skip(from) {
            if whole.is_some_and(|last| *unit >= last) || pairs.left.len() >= self.batch_rows {
                break;
            }
            while partners.get(self.cursor).is_some_and(|of| of < unit) {
                self.cursor += 1;
            }
            let own = partners.get(self.cursor..).unwrap_or_default();
            if only_whether {
                matched.push(own.first() == Some(unit));
            } else {
                let own = own.iter().take_while(|of| *of == unit).count();
                for partner in self.cursor..self.cursor + own {
                    pairs.left.push(index(row)?);
                    pairs.right.push(index(partner)?);
                }
            }
            self.at = row + 1;
        }
        if only_whether {
            return self.condition.with_partner(from, matched, leading);
        }
        let pairs = self.condition.partners(pairs, leading, &self.window)?;
        self.condition.output(from, self.at, pairs, leading, &self.window)
    }
}

impl Rows {
    fn of(batch: RecordBatch, unit: usize, keys: Vec<arrow::array::ArrayRef>) -> Self {
        let units = units(&batch, unit);
        Rows { batch, units, keys }
    }

    fn last(&self) -> Option<u32> {
        self.units.values().last().copied()
    }
}

/// One of the two streams.
struct Side {
    stream: SendableRecordBatchStream,
    unit: usize,
    last: u32,
    ended: bool,
}

impl Side {
    fn new(stream: SendableRecordBatchStream, unit: usize) -> Self {
        Side {
            stream,
            unit,
            last: 0,
            ended: false,
        }
    }

    /// The next batch that has a row.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(batch) = self.stream.next().await {
            let batch = batch?;
            let units = units(&batch, self.unit);
            let sorted = units.null_count() == 0
                && units.len() == batch.num_rows()
                && units.values().first().is_none_or(|first| *first >= self.last)
                && units.values().is_sorted();
            if !sorted {
                return Err(DataFusionError::Execution(
                    "a side of a join on the unit is not sorted by it".to_owned(),
                ));
            }
            if let Some(last) = units.values().last() {
                self.last = *last;
                return Ok(Some(batch));
            }
        }
        self.ended = true;
        Ok(None)
    }
}

/// The units of a batch; none where the column is not of units.
fn units(batch: &RecordBatch, column: usize) -> UInt32Array {
    let column = batch.columns().get(column);
    let units = column.and_then(|column| column.as_primitive_opt::<UInt32Type>());
    units
        .cloned()
        .unwrap_or_else(|| UInt32Array::from(Vec::<u32>::new()))
}

fn index(row: usize) -> Result<u32> {
    u32::try_from(row).map_err(|_| DataFusionError::Execution("too many rows of one unit".to_owned()))
}
