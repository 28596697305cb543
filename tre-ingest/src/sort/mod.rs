//! Sorting more rows than fit in memory: rows are collected up to a budget, sorted, and written as encrypted runs that
//! only this process can read; reading merges them.
//!
//! Rows are byte strings in the order of their bytes (see [`crate::row`]). A run's file is unlinked as soon as it is
//! open, so that nothing of it is left however the process ends, and its key dies with the process.

mod merge;
mod run;

pub(crate) use merge::Merge;
pub(crate) use run::Scratch;

use std::io;

use run::{Run, RunWriter};

/// Runs that are merged at once; more are first merged into fewer, so that files and buffers stay few.
const FAN_IN: usize = 64;

/// Offsets are 32 bits wide.
const MAX_BUDGET: usize = 3 << 30;

/// A row in the arena. The first bytes of the row stand beside its place, so that most comparisons touch nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    head: u64,
    start: u32,
    length: u32,
}

/// Collects rows and sorts them.
pub(crate) struct Sorter<'s> {
    scratch: &'s Scratch,
    budget: usize,
    arena: Vec<u8>,
    entries: Vec<Entry>,
    runs: Vec<Run>,
    rows: u64,
}

impl<'s> Sorter<'s> {
    /// Keeps at most about `budget` bytes of rows in memory.
    pub(crate) fn new(scratch: &'s Scratch, budget: usize) -> Self {
        Sorter {
            scratch,
            budget: budget.min(MAX_BUDGET),
            // Address space only: pages that no row reaches are never touched.
            arena: Vec::with_capacity(budget.min(MAX_BUDGET)),
            entries: Vec::new(),
            runs: Vec::new(),
            rows: 0,
        }
    }

    /// Adds the row that `write` appends to the buffer it is given. If `write` fails, nothing is added.
    pub(crate) fn push<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> io::Result<Result<(), E>> {
        if self.arena.len() + self.entries.len() * size_of::<Entry>() >= self.budget {
            self.spill()?;
        }
        let start = self.arena.len();
        if let Err(error) = write(&mut self.arena) {
            self.arena.truncate(start);
            return Ok(Err(error));
        }
        let row = self.arena.get(start..).unwrap_or_default();
        self.entries.push(Entry {
            head: head(row),
            start: start as u32,
            length: row.len() as u32,
        });
        self.rows += 1;
        Ok(Ok(()))
    }

    /// Adds a row.
    pub(crate) fn push_row(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let write = |out: &mut Vec<u8>| {
            parts.iter().for_each(|part| out.extend_from_slice(part));
            Ok::<(), std::convert::Infallible>(())
        };
        self.push(write)?.unwrap_or_else(|never| match never {});
        Ok(())
    }

    /// Ends collecting. What is in memory stays there if it takes no more than `keep` bytes.
    pub(crate) fn finish(mut self, keep: usize) -> io::Result<Sorted> {
        if self.arena.len() + self.entries.len() * size_of::<Entry>() > keep {
            self.spill()?;
            self.arena = Vec::new();
            self.entries = Vec::new();
        } else {
            self.sort();
            self.arena.shrink_to_fit();
            self.entries.shrink_to_fit();
        }
        while self.runs.len() > FAN_IN {
            let merged: Vec<Run> = self.runs.drain(..FAN_IN).collect();
            let mut writer = RunWriter::create(self.scratch)?;
            let mut rows = Merge::of_runs(&merged)?;
            while let Some(row) = rows.next()? {
                writer.write(row)?;
            }
            self.runs.push(writer.finish()?);
        }
        Ok(Sorted {
            arena: self.arena,
            entries: self.entries,
            runs: self.runs,
            rows: self.rows,
        })
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.entries.sort_unstable_by(|left, right| {
            left.head
                .cmp(&right.head)
                .then_with(|| row_of(arena, left).cmp(row_of(arena, right)))
        });
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        self.sort();
        let mut writer = RunWriter::create(self.scratch)?;
        for entry in &self.entries {
            writer.write(row_of(&self.arena, entry))?;
        }
        self.runs.push(writer.finish()?);
        self.arena.clear();
        self.entries.clear();
        Ok(())
    }
}

/// Rows in order, to be read as often as needed.
pub(crate) struct Sorted {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    runs: Vec<Run>,
    rows: u64,
}

impl Sorted {
    /// Reads from the first row.
    pub(crate) fn read(&self) -> io::Result<Merge<'_>> {
        Merge::new(&self.arena, &self.entries, &self.runs)
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of memory that they take.
    pub(crate) fn memory(&self) -> usize {
        self.arena.capacity() + self.entries.capacity() * size_of::<Entry>()
    }
}

fn row_of<'a>(arena: &'a [u8], entry: &Entry) -> &'a [u8] {
    arena
        .get(entry.start as usize..)
        .and_then(|rest| rest.get(..entry.length as usize))
        .unwrap_or_default()
}

/// The first eight bytes as a number; a shorter row is filled with zeros, which keeps the order or makes it a tie.
fn head(row: &[u8]) -> u64 {
    match row.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            bytes.iter_mut().zip(row).for_each(|(to, from)| *to = *from);
            u64::from_be_bytes(bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn rows(count: u64, seed: u64) -> Vec<Vec<u8>> {
        let mut state = seed;
        let mut next = move || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            state >> 33
        };
        (0..count)
            .map(|_| {
                let length = next() % 20;
                (0..length).map(|_| (next() % 3) as u8).collect()
            })
            .collect()
    }

    fn collect(sorted: &Sorted) -> Vec<Vec<u8>> {
        let mut read = sorted.read().unwrap();
        let mut rows = Vec::new();
        while let Some(row) = read.next().unwrap() {
            rows.push(row.to_vec());
        }
        rows
    }

    #[test]
    fn any_budget_gives_the_same_order() {
        let directory = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(directory.path()).unwrap();
        let input = rows(20_000, 1);
        let mut expected = input.clone();
        expected.sort();
        for (budget, keep) in [(1 << 30, 1 << 30), (1 << 30, 0), (50_000, 50_000), (3_000, 0)] {
            let mut sorter = Sorter::new(&scratch, budget);
            for row in &input {
                sorter.push_row(&[row]).unwrap();
            }
            let refused = sorter.push(|out| {
                out.extend_from_slice(b"half a row");
                Err("no")
            });
            assert_eq!(refused.unwrap(), Err("no"));
            let sorted = sorter.finish(keep).unwrap();
            assert_eq!(sorted.rows(), 20_000);
            assert!(sorted.runs.len() <= FAN_IN, "{} runs", sorted.runs.len());
            assert_eq!(collect(&sorted), expected, "budget {budget}");
            assert_eq!(collect(&sorted), expected, "read again");
        }
        assert_eq!(
            std::fs::read_dir(directory.path()).unwrap().count(),
            0,
            "no file has a name"
        );
    }

    #[test]
    fn runs_hold_no_plain_text() {
        let directory = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(directory.path()).unwrap();
        let mut writer = RunWriter::create(&scratch).unwrap();
        (0..100_000).for_each(|_| writer.write(b"hepatocellular carcinoma").unwrap());
        let run = writer.finish().unwrap();
        let bytes = run.raw_bytes().unwrap();
        assert!(bytes.len() > 2_000_000);
        assert!(!bytes.windows(8).any(|window| window == b"carcinom"));
    }
}
