//! Base cells: groups, values and evidence in one pass over rows sorted by unit.
//!
//! Because rows arrive by unit, each person's rows of a group are seen together. [`slots`] keep what the last person has
//! done so far, in each group that they have a row in (net contributions, extremes and a set of flags). When the next
//! person begins, those before are closed: every flag adds one to its counter, the net contribution competes for the top
//! two ([`number`]). Units of two ranges, and so of two partial results, are different people: partial results are closed
//! before they are added up.
//!
//! A smallest or largest value keeps how many units share it: when a smaller one comes, its units are counted anew.
//!
//! What nearly everybody has is counted by those who have it not: most people then cost no counter.
//!
//! Soundness: a counter is increased once per unit and flag, so it *is* the number of units with that property; that
//! rests on rows of a unit being contiguous, which [`Cells::update`] checks row by row and refuses otherwise.

mod columns;
mod keys;
mod number;
mod output;
mod sketch;
mod slots;
mod state;
mod values;

#[cfg(test)]
mod tests;

use number::Own;
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
    /// Flags of a row by the set of its arguments that are NULL, a bit each.
    flags_of: Vec<u128>,
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
        let mut shape = Shape {
            layout: layout.clone(),
            schema,
            keys,
            numeric,
            added,
            numerics,
            comparable,
            flags_of: vec![],
            sketcher,
        };
        let sets = 0..1_usize << shape.arguments();
        shape.flags_of = sets.map(|absent| shape.row_flags(absent)).collect();
        Ok(shape)
    }

    fn row_flags(&self, absent: usize) -> u128 {
        let is_absent = |argument: usize| absent >> argument & 1 == 1;
        let mut flags = 0;
        for (a, added) in self.added.iter().enumerate() {
            if is_absent(a) {
                flags |= 1 << self.null(a);
                continue;
            }
            flags |= 1 << self.present(a);
            if added.is_none() {
                flags |= 1 << self.nonzero(a);
            }
            for b in (0..self.arguments()).filter(|b| *b != a && is_absent(*b)) {
                flags |= 1 << self.pair(a, b);
            }
        }
        flags
    }

    /// Flags of a row where these arguments are NULL, a bit each.
    pub(super) fn flags_of(&self, absent: u16) -> u128 {
        let flags = self.flags_of.get(usize::from(absent));
        flags.copied().unwrap_or_default()
    }

    /// Flags that a closed person is counted under: present and non-zero where they are *not*, the others where they
    /// are. Whoever's values cancel out contributes nothing to a sum.
    fn counted(&self, mut flags: u128, own: &[Own]) -> u128 {
        for (argument, added) in self.added.iter().enumerate() {
            if added.is_some_and(|numeric| own.get(numeric).is_some_and(|own| own.net != 0)) {
                flags |= 1 << self.nonzero(argument);
            }
        }
        flags ^ ((1 << (2 * self.arguments())) - 1)
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
