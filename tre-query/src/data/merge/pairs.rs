//! Pairs of rows: which are partners, and what they look like side by side.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::{and, filter, filter_record_batch, prep_null_mask_filter, take};
use datafusion::common::JoinSide;
use datafusion::common::JoinType;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::joins::utils::JoinFilter;

use super::Condition;
use crate::data::files::arrow_error;

/// Rows of one side, with what the further equalities compare.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) batch: RecordBatch,
    pub(super) units: UInt32Array,
    pub(super) keys: Vec<ArrayRef>,
}

/// Pairs of rows of one unit, by the left row.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) left: Vec<u32>,
    pub(super) right: Vec<u32>,
}

impl Condition {
    /// Whether rows of one unit need not be partners.
    pub(super) fn asks_for_more(&self) -> bool {
        !self.equalities.is_empty() || self.filter.is_some()
    }

    /// The pairs that are partners.
    pub(super) fn partners(&self, pairs: Pairs, left: &Rows, right: &Rows) -> Result<Pairs> {
        if !self.asks_for_more() || pairs.left.is_empty() {
            return Ok(pairs);
        }
        let (of_left, of_right) = (UInt32Array::from(pairs.left), UInt32Array::from(pairs.right));
        let mut kept: Option<BooleanArray> = None;
        let mut keep = |only: BooleanArray| -> Result<()> {
            // NULL is not true.
            let only = match only.null_count() {
                0 => only,
                _ => prep_null_mask_filter(&only),
            };
            kept = Some(match &kept {
                None => only,
                Some(kept) => and(kept, &only).map_err(arrow_error)?,
            });
            Ok(())
        };
        for (a, b) in left.keys.iter().zip(&right.keys) {
            let (a, b) = (gather(a, &of_left)?, gather(b, &of_right)?);
            keep(eq(&a, &b).map_err(arrow_error)?)?;
        }
        if let Some(condition) = &self.filter {
            keep(evaluated(condition, (left, &of_left), (right, &of_right))?)?;
        }
        let Some(kept) = kept else {
            return Err(DataFusionError::Internal("a condition without a part".to_owned()));
        };
        let keep = |indices: &UInt32Array| -> Result<Vec<u32>> {
            let indices = filter(indices, &kept).map_err(arrow_error)?;
            Ok(indices
                .as_primitive::<arrow::datatypes::UInt32Type>()
                .values()
                .to_vec())
        };
        Ok(Pairs {
            left: keep(&of_left)?,
            right: keep(&of_right)?,
        })
    }

    /// The output for left rows `from` to `to`, given their partners; `None` for no row.
    pub(super) fn output(
        &self,
        from: usize,
        to: usize,
        partners: Pairs,
        left: &Rows,
        right: &Rows,
    ) -> Result<Option<RecordBatch>> {
        match self.kind {
            JoinType::LeftSemi | JoinType::LeftAnti => {
                let mut matched = vec![false; to - from];
                for row in partners.left {
                    if let Some(matched) = matched.get_mut(row as usize - from) {
                        *matched = true;
                    }
                }
                self.with_partner(from, matched, left)
            }
            JoinType::Inner => {
                let right_rows = UInt32Array::from(partners.right);
                self.side_by_side(UInt32Array::from(partners.left), right_rows, left, right)
            }
            JoinType::Left => {
                let mut partners_of = partners.left.iter().zip(&partners.right).peekable();
                let (mut of_left, mut of_right) = (vec![], vec![]);
                for row in from as u32..to as u32 {
                    let mut alone = true;
                    while let Some((_, partner)) = partners_of.next_if(|(of, _)| **of == row) {
                        of_left.push(row);
                        of_right.push(Some(*partner));
                        alone = false;
                    }
                    if alone {
                        of_left.push(row);
                        of_right.push(None);
                    }
                }
                self.side_by_side(
                    UInt32Array::from(of_left),
                    UInt32Array::from(of_right),
                    left,
                    right,
                )
            }
            kind => Err(DataFusionError::Internal(format!("a {kind} join is not merged"))),
        }
    }

    /// Left rows from `from` on, with or without a partner as the kind wants.
    pub(super) fn with_partner(
        &self,
        from: usize,
        matched: Vec<bool>,
        left: &Rows,
    ) -> Result<Option<RecordBatch>> {
        let rows = left.batch.slice(from, matched.len());
        let wanted = self.kind == JoinType::LeftSemi;
        let keep: BooleanArray = matched
            .into_iter()
            .map(|matched| Some(matched == wanted))
            .collect();
        let rows = filter_record_batch(&rows, &keep).map_err(arrow_error)?;
        Ok((rows.num_rows() > 0).then_some(rows))
    }

    fn side_by_side(
        &self,
        of_left: UInt32Array,
        of_right: UInt32Array,
        left: &Rows,
        right: &Rows,
    ) -> Result<Option<RecordBatch>> {
        if of_left.is_empty() {
            return Ok(None);
        }
        let left = left.batch.columns().iter().map(|column| gather(column, &of_left));
        let right = right
            .batch
            .columns()
            .iter()
            .map(|column| gather(column, &of_right));
        let columns = left.chain(right).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(of_left.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        batch.map(Some).map_err(arrow_error)
    }
}

fn evaluated(
    condition: &JoinFilter,
    left: (&Rows, &UInt32Array),
    right: (&Rows, &UInt32Array),
) -> Result<BooleanArray> {
    let columns = condition.column_indices().iter().map(|column| {
        let (rows, indices) = match column.side {
            JoinSide::Left => left,
            JoinSide::Right => right,
            JoinSide::None => return Err(DataFusionError::Internal("a column of no side".to_owned())),
        };
        gather(rows.batch.column(column.index), indices)
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let rows = left.1.len();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let pairs = RecordBatch::try_new_with_options(Arc::clone(condition.schema()), columns, &options);
    let pairs = pairs.map_err(arrow_error)?;
    let holds = condition.expression().evaluate(&pairs)?.into_array(rows)?;
    let holds = holds.as_boolean_opt().cloned();
    holds.ok_or_else(|| DataFusionError::Execution("a join condition is not Boolean".to_owned()))
}

/// The rows of a column at these indices; nothing is copied where they follow one another.
fn gather(column: &ArrayRef, indices: &UInt32Array) -> Result<ArrayRef> {
    let values = indices.values();
    let first = values.first().copied().unwrap_or_default();
    let in_order = indices.null_count() == 0
        && values
            .iter()
            .enumerate()
            .all(|(i, index)| *index as usize == first as usize + i);
    if in_order {
        return Ok(column.slice(first as usize, indices.len()));
    }
    take(column, indices, None).map_err(arrow_error)
}
