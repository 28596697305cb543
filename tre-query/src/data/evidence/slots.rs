//! People who are not closed yet: what each has done so far in each group.
//!
//! Rows come by person, so at any time only the last person can have more to come. A slot is one person in one group; it
//! is made by their first row there and closed when the next person begins. Slots are few and lie side by side, whatever
//! the number of groups.

use super::EvidenceError;
use super::number::Own;

/// One person in one group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// Number of the group.
    pub(super) group: usize,
    pub(super) rows: u64,
    /// What is true of at least one row: see [`Shape`](super::Shape).
    pub(super) flags: u128,
}

/// The slots of one stream of rows.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Numeric arguments per slot.
    numerics: usize,
    slots: Vec<Slot>,
    /// `numerics` per slot.
    own: Vec<Own>,
    /// The first slot of the last person.
    open: usize,
}

impl Slots {
    pub(super) fn new(numerics: usize) -> Self {
        Slots {
            numerics,
            ..Slots::default()
        }
    }

    /// Bytes that they take.
    pub(super) fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>() + self.own.capacity() * size_of::<Own>()
    }

    /// Whether everybody is closed.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The next person begins.
    pub(super) fn next_person(&mut self) {
        self.open = self.slots.len();
    }

    /// A slot for the last person in a group; returns its number.
    pub(super) fn begin(&mut self, group: usize) -> usize {
        self.slots.push(Slot {
            group,
            rows: 0,
            flags: 0,
        });
        self.own.resize(self.slots.len() * self.numerics, Own::NOTHING);
        self.slots.len() - 1
    }

    /// Counts a row of a slot.
    ///
    /// # Errors
    /// [`EvidenceError::Columns`] when there is no such slot, as for all below.
    pub(super) fn row(&mut self, slot: usize, flags: u128) -> Result<(), EvidenceError> {
        let slot = self.slots.get_mut(slot).ok_or(EvidenceError::Columns)?;
        slot.rows += 1;
        slot.flags |= flags;
        Ok(())
    }

    /// A numeric argument of a slot.
    pub(super) fn own(&mut self, slot: usize, numeric: usize) -> Result<&mut Own, EvidenceError> {
        let own = self.own.get_mut(slot * self.numerics + numeric);
        own.ok_or(EvidenceError::Columns)
    }

    /// The slots of people who cannot have more rows, each with its numeric arguments.
    pub(super) fn closed(&self) -> impl Iterator<Item = (&Slot, &[Own])> {
        let numerics = self.numerics;
        let closed = self.slots.iter().take(self.open).enumerate();
        closed.map(move |(i, slot)| {
            let own = self.own.get(i * numerics..(i + 1) * numerics);
            (slot, own.unwrap_or_default())
        })
    }

    /// Forgets them; what is left is numbered anew, in the same order, and returned by its group.
    pub(super) fn forget_closed(&mut self) -> impl Iterator<Item = usize> {
        self.slots.drain(..self.open);
        self.own.drain(..self.open * self.numerics);
        self.open = 0;
        self.slots.iter().map(|slot| slot.group)
    }
}
