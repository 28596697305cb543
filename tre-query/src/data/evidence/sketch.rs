//! The unit sets of all groups, there where the server asks for them.
//!
//! A unit's vector is computed when its first row arrives and XORed into every group that it enters, once. For each
//! argument the set of units *without* it is kept, since that is empty nearly always: a unit enters it with its first
//! row if the argument is NULL there, and leaves it again with its first row where it is not. The units present are the
//! difference of the two.

use arrow::array::ArrayRef;

use tre_core::evidence::sketch;
use tre_core::sketch::{Sketcher, UnitVector};

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
    }

    /// Bytes that the sets take.
    pub(super) fn memory(&self) -> usize {
        (self.everybody.capacity() + self.without.capacity()) * size_of::<u64>()
    }

    /// A unit's first row in a group.
    pub(super) fn enter(&mut self, group: usize, unit: u32) {
        if self.unit != Some(unit) {
            self.sketcher.vector_into(unit, &mut self.vector);
            self.unit = Some(unit);
        }
        let words = self.words();
        xor(&mut self.everybody, group * words, self.vector.words());
    }

    /// The unit that entered last enters or leaves the set of those without an argument.
    pub(super) fn turn(&mut self, group: usize, argument: usize) {
        let words = self.words();
        let start = (group * self.arguments + argument) * words;
        xor(&mut self.without, start, self.vector.words());
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
        let columns = sketch::columns(self.sketcher.shape(), sets.chunks(words).take(groups));
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
