//! The unit sets of all groups, there where the server asks for them.
//!
//! A unit's vector is computed once and XORed into every group in which it is closed. For each argument the set of units
//! *without* it is kept, since that is empty nearly always; the units present are the difference of the two. What a unit
//! gives to a group is known then as well: its rows there, and per argument the rows with a value and their sum.

use arrow::array::ArrayRef;

use tre_core::evidence::sketch;
use tre_core::sketch::{SHARES_WORDS, Sketcher, UnitVector};

use super::EvidenceError;

/// Words of sets, group by group.
pub(super) struct Sets {
    sketcher: Sketcher,
    /// The vector of the unit whose rows arrive, and that unit.
    vector: UnitVector,
    unit: Option<u32>,
    arguments: usize,
    /// Per group: units with a row.
    everybody: Vec<u64>,
    /// Per group and argument: units with a row and without a value.
    without: Vec<u64>,
    /// Per group, for the row itself and every argument: what the closed units give.
    shares: Vec<u64>,
}

impl Sets {
    pub(super) fn new(sketcher: Sketcher, arguments: usize) -> Self {
        Sets {
            vector: sketcher.vector(0),
            unit: None,
            sketcher,
            arguments,
            everybody: Vec::new(),
            without: Vec::new(),
            shares: Vec::new(),
        }
    }

    fn words(&self) -> usize {
        self.sketcher.shape().words()
    }

    /// Makes room for so many groups.
    pub(super) fn grow(&mut self, groups: usize) {
        let words = groups * self.words();
        self.everybody.resize(words, 0);
        self.without.resize(words * self.arguments, 0);
        self.shares.resize(groups * self.slots() * SHARES_WORDS, 0);
    }

    /// Bytes that the sets take.
    pub(super) fn memory(&self) -> usize {
        let words = [&self.everybody, &self.without, &self.shares];
        words.iter().map(|words| words.capacity()).sum::<usize>() * size_of::<u64>()
    }

    /// The row itself and the arguments.
    fn slots(&self) -> usize {
        1 + self.arguments
    }

    /// A unit is closed in a group. `given` has, for the row itself and every argument, its rows with a value and what
    /// these add up to.
    pub(super) fn close(&mut self, group: usize, unit: u32, given: impl Iterator<Item = (u64, i128)>) {
        if self.unit != Some(unit) {
            self.sketcher.vector_into(unit, &mut self.vector);
            self.unit = Some(unit);
        }
        let words = self.words();
        xor(&mut self.everybody, group * words, self.vector.words());
        let slots = self.slots();
        let shares = self.shares.chunks_mut(SHARES_WORDS).skip(group * slots);
        for (slot, ((rows, net), shares)) in given.zip(shares).enumerate() {
            if rows > 0 {
                self.sketcher.share(unit, rows, net).add_to(shares);
            } else if let Some(argument) = slot.checked_sub(1) {
                let start = (group * self.arguments + argument) * words;
                xor(&mut self.without, start, self.vector.words());
            }
        }
    }

    /// Adds a group of other people.
    pub(super) fn merge(&mut self, to: usize, other: &Sets, from: usize) {
        let words = self.words();
        xor(
            &mut self.everybody,
            to * words,
            slice(&other.everybody, from * words, words),
        );
        let all = words * self.arguments;
        xor(
            &mut self.without,
            to * all,
            slice(&other.without, from * all, all),
        );
        let slots = self.slots();
        let all = slots * SHARES_WORDS;
        xor(&mut self.shares, to * all, slice(&other.shares, from * all, all));
    }

    /// The evidence columns of the row itself, or of an argument.
    ///
    /// # Errors
    /// None in practice; every group has its words.
    pub(super) fn columns(
        &self,
        argument: Option<usize>,
        groups: usize,
    ) -> Result<Vec<ArrayRef>, EvidenceError> {
        let words = self.words();
        let mut sets = self.everybody.clone();
        if let Some(argument) = argument {
            for group in 0..groups {
                let start = (group * self.arguments + argument) * words;
                xor(&mut sets, group * words, slice(&self.without, start, words));
            }
        }
        let slot = argument.map_or(0, |argument| argument + 1);
        let shares = self.shares.chunks(SHARES_WORDS).skip(slot).step_by(self.slots());
        let sets = sets.chunks(words).take(groups).zip(shares);
        let sets: Vec<Vec<u64>> = sets.map(|(set, shares)| [set, shares].concat()).collect();
        let columns = sketch::columns(self.sketcher.shape(), sets.iter().map(Vec::as_slice));
        Ok(columns.map_err(crate::data::files::arrow_error)?)
    }
}

fn slice(words: &[u64], start: usize, length: usize) -> &[u64] {
    words.get(start..start + length).unwrap_or_default()
}

fn xor(to: &mut [u64], start: usize, from: &[u64]) {
    let to = to.get_mut(start..start + from.len()).unwrap_or_default();
    to.iter_mut().zip(from).for_each(|(to, from)| *to ^= from);
}
