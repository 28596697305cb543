//! Base cells: groups, values and evidence in one pass over rows sorted by unit.
//!
//! Because rows arrive by unit, one block of state per group sees each person's rows of that group together. The block
//! keeps what the *open* unit has done so far (its net contributions and a set of flags) and closed counters. When a
//! row of the next unit reaches the group, the open unit is closed: every flag adds one to its counter, the net
//! contribution competes for the top two. Units of two ranges, and so of two partial results, are different people:
//! partial results are closed before they are added up.
//!
//! A smallest or largest value keeps how many units share it: when a smaller one comes, its units are counted anew.
//!
//! Soundness: a counter is increased once per unit and flag, so it *is* the number of units with that property; that
//! rests on rows of a unit being contiguous, which [`Cells::update`] checks row by row and refuses otherwise.

mod number;
mod output;
mod sketch;
mod state;
mod values;

#[cfg(test)]
mod tests;

pub(super) use state::Cells;

use arrow::datatypes::{Field, Schema, SchemaRef};
use std::sync::Arc;

use tre_core::evidence::{CellLayout, LayoutError, MAX_ARGUMENTS};
use tre_core::sketch::Sketcher;

/// Evidence that cannot be trusted or computed. The texts are for the operator's log.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The engine returned units out of order.
    #[error("the engine returned unit after unit out of order: evidence would be wrong")]
    Order,
    /// A batch without the columns that were planned.
    #[error("the engine returned other columns than were planned")]
    Columns,
    /// More arguments than flags.
    #[error("a query can aggregate at most {MAX_ARGUMENTS} columns")]
    Arguments,
    /// A sum beyond 38 digits.
    #[error("a sum has more than 38 digits")]
    Overflow,
    /// The layout is not one of a frontier.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Grouping failed.
    #[error("grouping failed: {0}")]
    Groups(#[from] datafusion::error::DataFusionError),
}

/// What the columns of a batch are, and which flags a unit can have in a group.
///
/// Flags, for n arguments: present (n), non-zero (n), NULL (n), then for every ordered pair (i, j), i ≠ j, a row where
/// i is present and j is NULL.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) layout: CellLayout,
    pub(super) schema: SchemaRef,
    pub(super) keys: SchemaRef,
    /// Per argument: index among those whose values are read as numbers.
    pub(super) numeric: Vec<Option<usize>>,
    /// Per argument: the same index where values are added up; a date is read as a number, but nothing of it cancels out.
    pub(super) added: Vec<Option<usize>>,
    /// Number of arguments whose values are read as numbers.
    pub(super) numerics: usize,
    /// Pairs of arguments whose net contributions are compared, as indices among the numeric ones.
    pub(super) comparable: Vec<(usize, usize)>,
    /// Makes unit sets, if the server asks for them.
    pub(super) sketcher: Option<Sketcher>,
}

impl Shape {
    /// The shape of a layout; `sketcher` makes its unit sets, if it has any.
    ///
    /// # Errors
    /// [`EvidenceError`] when it has too many arguments or contradicts itself.
    pub(super) fn new(layout: &CellLayout, sketcher: Option<Sketcher>) -> Result<Self, EvidenceError> {
        if layout.arguments.len() > MAX_ARGUMENTS {
            return Err(EvidenceError::Arguments);
        }
        let schema = layout.schema()?;
        let keys = layout
            .keys
            .iter()
            .enumerate()
            .map(|(i, ty)| Field::new(format!("k{i}"), ty.arrow(), true));
        let keys = Arc::new(Schema::new(keys.collect::<Vec<_>>()));
        let mut numerics = 0;
        let mut numeric = Vec::with_capacity(layout.arguments.len());
        for argument in 0..layout.arguments.len() {
            numeric.push(layout.range_type(argument).map(|_| {
                numerics += 1;
                numerics - 1
            }));
        }
        let types = layout.arguments.iter();
        let added = types
            .zip(&numeric)
            .map(|(ty, numeric)| numeric.filter(|_| ty.is_numeric()));
        let added = added.collect();
        let number = |argument: usize| numeric.get(argument).copied().flatten();
        let comparable = layout
            .comparable_pairs()
            .into_iter()
            .filter_map(|(a, b)| number(a).zip(number(b)))
            .collect();
        Ok(Shape {
            layout: layout.clone(),
            schema,
            keys,
            numeric,
            added,
            numerics,
            comparable,
            sketcher,
        })
    }

    pub(super) fn arguments(&self) -> usize {
        self.layout.arguments.len()
    }

    pub(super) fn present(&self, argument: usize) -> usize {
        argument
    }

    pub(super) fn nonzero(&self, argument: usize) -> usize {
        self.arguments() + argument
    }

    pub(super) fn null(&self, argument: usize) -> usize {
        2 * self.arguments() + argument
    }

    /// Flag of a row where `a` is present and `b` is NULL.
    pub(super) fn pair(&self, a: usize, b: usize) -> usize {
        let n = self.arguments();
        3 * n + a * n.saturating_sub(1) + if b > a { b - 1 } else { b }
    }

    pub(super) fn flags(&self) -> usize {
        let n = self.arguments();
        3 * n + n * n.saturating_sub(1)
    }
}
