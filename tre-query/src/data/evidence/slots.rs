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
    pub(super) unit: u32,
    pub(super) rows: u64,
    /// What is true of at least one row: see [`Shape`](super::Shape).
    pub(super) flags: u128,
}

/// The slots of one stream of rows.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Numeric arguments per slot.
    numerics: usize,
    /// Arguments per slot of which NULLs are counted.
    counted: usize,
    slots: Vec<Slot>,
    /// `numerics` per slot.
    own: Vec<Own>,
    /// Rows in which an argument is NULL, `counted` per slot.
    absent: Vec<u64>,
    /// The first slot of the last person.
    open: usize,
}

impl Slots {
    /// Of people with so many numeric arguments, and so many of which NULLs are counted.
    pub(super) fn new(numerics: usize, counted: usize) -> Self {
        Slots {
            numerics,
            counted,
            ..Slots::default()
        }
    }

    /// Bytes that they take.
    pub(super) fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
            + self.own.capacity() * size_of::<Own>()
            + self.absent.capacity() * size_of::<u64>()
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
    pub(super) fn begin(&mut self, group: usize, unit: u32) -> usize {
        self.slots.push(Slot {
            group,
            unit,
            rows: 0,
            flags: 0,
        });
        self.own.resize(self.slots.len() * self.numerics, Own::NOTHING);
        self.absent.resize(self.slots.len() * self.counted, 0);
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

    /// Counts the NULLs of a row of a slot: arguments, a bit each.
    pub(super) fn nulls(&mut self, slot: usize, absent: u16) {
        let counts = self
            .absent
            .iter_mut()
            .skip(slot * self.counted)
            .take(self.counted);
        for (argument, count) in counts.enumerate() {
            *count += u64::from(absent >> argument & 1);
        }
    }

    /// A numeric argument of a slot.
    pub(super) fn own(&mut self, slot: usize, numeric: usize) -> Result<&mut Own, EvidenceError> {
        let own = self.own.get_mut(slot * self.numerics + numeric);
        own.ok_or(EvidenceError::Columns)
    }

    /// The slots of people who cannot have more rows, each with its numeric arguments and its counts of NULLs.
    pub(super) fn closed(&self) -> impl Iterator<Item = (&Slot, &[Own], &[u64])> {
        let (numerics, counted) = (self.numerics, self.counted);
        let closed = self.slots.iter().take(self.open).enumerate();
        closed.map(move |(i, slot)| {
            let own = self.own.get(i * numerics..(i + 1) * numerics);
            let absent = self.absent.get(i * counted..(i + 1) * counted);
            (slot, own.unwrap_or_default(), absent.unwrap_or_default())
        })
    }

    /// Forgets them; what is left is numbered anew, in the same order, and returned by its group.
    pub(super) fn forget_closed(&mut self) -> impl Iterator<Item = usize> {
        self.slots.drain(..self.open);
        self.own.drain(..self.open * self.numerics);
        self.absent.drain(..self.open * self.counted);
        self.open = 0;
        self.slots.iter().map(|slot| slot.group)
    }
}
