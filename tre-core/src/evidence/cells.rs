//! Base cells as the checker reads them: a batch that fits its layout and does not contradict itself.

use arrow_array::{Array, ArrayRef, Decimal128Array, RecordBatch, UInt64Array};

use super::{CellLayout, LayoutError, consistency};

/// All base cells of one frontier, checked against their layout. The only way in is [`BaseCells::new`].
#[derive(Debug, Clone)]
pub struct BaseCells {
    layout: CellLayout,
    batch: RecordBatch,
    evidence: EvidenceColumns,
}

/// The evidence columns of a batch by position, looked up once: the checker reads them for every cell.
#[derive(Debug, Clone)]
struct EvidenceColumns {
    rows: UInt64Array,
    units: UInt64Array,
    arguments: Vec<ArgumentColumns>,
    /// `p{i}_{j}` at `i * arguments + j`; `None` on the diagonal.
    pairs: Vec<Option<UInt64Array>>,
    /// `d{i}_{j}` of [`CellLayout::comparable_pairs`].
    differing: Vec<((usize, usize), UInt64Array)>,
}

/// The evidence columns of one argument.
#[derive(Debug, Clone)]
struct ArgumentColumns {
    rows: UInt64Array,
    present: UInt64Array,
    nonzero: UInt64Array,
    null_of: UInt64Array,
    /// Numeric arguments: `top1`, `top2`.
    top: Option<(Decimal128Array, Decimal128Array)>,
    /// Numeric arguments, where the layout tells values apart.
    unlike: Option<UInt64Array>,
    /// Where the layout has them: `min`, `max`.
    range: Option<(Decimal128Array, Decimal128Array)>,
    /// Arguments of min or max: `min_units`, `max_units`.
    sharing: Option<(UInt64Array, UInt64Array)>,
}

impl EvidenceColumns {
    fn find(layout: &CellLayout, batch: &RecordBatch) -> Option<Self> {
        let counts = |name: &str| {
            batch
                .column_by_name(name)?
                .as_any()
                .downcast_ref::<UInt64Array>()
                .cloned()
        };
        let decimals = |name: &str| {
            batch
                .column_by_name(name)?
                .as_any()
                .downcast_ref::<Decimal128Array>()
                .cloned()
        };
        let mut arguments = Vec::with_capacity(layout.arguments.len());
        let mut pairs = Vec::with_capacity(layout.arguments.len() * layout.arguments.len());
        for (i, argument) in layout.arguments.iter().enumerate() {
            let two_decimals =
                |a: &str, b: &str| Some((decimals(&format!("a{i}_{a}"))?, decimals(&format!("a{i}_{b}"))?));
            let top = match argument.is_numeric() {
                true => Some(two_decimals("top1", "top2")?),
                false => None,
            };
            let unlike = match argument.is_numeric() && layout.unlike.is_some() {
                true => Some(counts(&format!("a{i}_unlike"))?),
                false => None,
            };
            let range = match layout.range_type(i) {
                Some(_) => Some(two_decimals("min", "max")?),
                None => None,
            };
            let sharing = match layout.has_extreme(i) {
                true => Some((
                    counts(&format!("a{i}_min_units"))?,
                    counts(&format!("a{i}_max_units"))?,
                )),
                false => None,
            };
            arguments.push(ArgumentColumns {
                rows: counts(&format!("a{i}_rows"))?,
                present: counts(&format!("a{i}_present"))?,
                nonzero: counts(&format!("a{i}_nonzero"))?,
                null_of: counts(&format!("null_of_a{i}"))?,
                top,
                unlike,
                range,
                sharing,
            });
            for j in 0..layout.arguments.len() {
                pairs.push(if i == j {
                    None
                } else {
                    Some(counts(&format!("p{i}_{j}"))?)
                });
            }
        }
        let mut differing = Vec::new();
        for (i, j) in layout.comparable_pairs() {
            differing.push(((i, j), counts(&format!("d{i}_{j}"))?));
        }
        Some(EvidenceColumns {
            rows: counts("rows")?,
            units: counts("units")?,
            arguments,
            pairs,
            differing,
        })
    }
}

fn count_at(column: &UInt64Array, row: usize) -> u64 {
    if row < column.len() { column.value(row) } else { 0 }
}

pub(super) fn decimal_at(column: &Decimal128Array, row: usize) -> Option<i128> {
    (row < column.len() && column.is_valid(row)).then(|| column.value(row))
}

impl BaseCells {
    /// Takes a batch from a worker.
    ///
    /// # Errors
    /// [`LayoutError`] when schema and layout differ, or when the evidence contradicts itself or the values (more
    /// units than rows, more units present than units, a sum of no value that is not NULL): a worker that says so is
    /// not to be believed in anything.
    pub fn new(layout: CellLayout, batch: RecordBatch) -> Result<Self, LayoutError> {
        let expected = layout.schema()?;
        let names = || {
            let schema = batch.schema();
            LayoutError::Schema(format!(
                "{:?}",
                schema.fields().iter().map(|f| f.name()).collect::<Vec<_>>()
            ))
        };
        let nulls_fit = || {
            let columns = expected.fields().iter().zip(batch.columns());
            columns
                .into_iter()
                .all(|(field, column)| field.is_nullable() || column.null_count() == 0)
        };
        if batch.schema().fields() != expected.fields() || !nulls_fit() {
            return Err(names());
        }
        let evidence = EvidenceColumns::find(&layout, &batch).ok_or_else(names)?;
        let cells = BaseCells {
            layout,
            batch,
            evidence,
        };
        consistency::check_counts(&cells)?;
        consistency::check_values(&cells)?;
        cells.check_sets()?;
        Ok(cells)
    }

    /// The layout.
    pub fn layout(&self) -> &CellLayout {
        &self.layout
    }

    /// Number of base groups.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there is no group at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batch, in the layout's schema.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// The key columns.
    pub fn keys(&self) -> &[ArrayRef] {
        self.batch
            .columns()
            .get(..self.layout.keys.len())
            .unwrap_or_default()
    }

    /// An aggregate's values.
    pub fn value(&self, index: usize) -> Option<&ArrayRef> {
        if index >= self.layout.values.len() {
            return None;
        }
        self.batch.columns().get(self.layout.keys.len() + index)
    }

    /// Rows of a group; 0 for a row that does not exist, as for every other accessor.
    pub fn rows(&self, row: usize) -> u64 {
        count_at(&self.evidence.rows, row)
    }

    /// Units with a row in the group.
    pub fn units(&self, row: usize) -> u64 {
        count_at(&self.evidence.units, row)
    }

    /// Units with a row where the value's argument is not NULL; for the row itself, units with a row.
    pub fn present(&self, argument: Option<usize>, row: usize) -> u64 {
        match argument {
            None => self.units(row),
            Some(i) => self
                .argument(i)
                .map_or(0, |columns| count_at(&columns.present, row)),
        }
    }

    /// Rows where the argument is not NULL.
    pub fn argument_rows(&self, argument: usize, row: usize) -> u64 {
        self.argument(argument)
            .map_or(0, |columns| count_at(&columns.rows, row))
    }

    /// Units whose net contribution is not zero.
    pub fn nonzero(&self, argument: usize, row: usize) -> u64 {
        self.argument(argument)
            .map_or(0, |columns| count_at(&columns.nonzero, row))
    }

    /// Units with a row that `a` counts and `b` does not; `None` stands for the row itself.
    pub fn counted_without(&self, a: Option<usize>, b: Option<usize>, row: usize) -> u64 {
        match (a, b) {
            (_, None) => 0,
            (None, Some(j)) => self
                .argument(j)
                .map_or(0, |columns| count_at(&columns.null_of, row)),
            (Some(i), Some(j)) => {
                let pair = self.evidence.pairs.get(i * self.layout.arguments.len() + j);
                pair.and_then(Option::as_ref)
                    .map_or(0, |column| count_at(column, row))
            }
        }
    }

    /// Units whose net contributions to two numeric arguments differ; 0 where the two are not comparable.
    pub fn differing(&self, a: usize, b: usize, row: usize) -> u64 {
        let pair = (a.min(b), a.max(b));
        let mut differing = self.evidence.differing.iter();
        differing
            .find(|(of, _)| *of == pair)
            .map_or(0, |(_, column)| count_at(column, row))
    }

    /// The two largest absolute net contributions of one unit, unscaled; `None` for arguments that are not numeric.
    pub fn top_two(&self, argument: usize, row: usize) -> Option<(i128, i128)> {
        let (first, second) = self.argument(argument)?.top.as_ref()?;
        Some((decimal_at(first, row)?, decimal_at(second, row)?))
    }

    /// Units whose net contribution is not the most frequent one, exact below the layout's number; `None` where values are
    /// not told apart.
    pub fn unlike(&self, argument: usize, row: usize) -> Option<u64> {
        let unlike = self.argument(argument)?.unlike.as_ref()?;
        Some(count_at(unlike, row))
    }

    /// Smallest and largest row value, unscaled; `None` where there is no value or the evidence has none.
    pub fn min_max(&self, argument: usize, row: usize) -> Option<(i128, i128)> {
        let (min, max) = self.argument(argument)?.range.as_ref()?;
        Some((decimal_at(min, row)?, decimal_at(max, row)?))
    }

    /// Units with a row of the smallest value, and units with a row of the largest; `None` where neither is asked for.
    pub fn sharing(&self, argument: usize, row: usize) -> Option<(u64, u64)> {
        let (min, max) = self.argument(argument)?.sharing.as_ref()?;
        Some((count_at(min, row), count_at(max, row)))
    }

    fn argument(&self, index: usize) -> Option<&ArgumentColumns> {
        self.evidence.arguments.get(index)
    }
}
