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
use std::sync::Arc;
use std::thread::JoinHandle;

use run::{Run, RunWriter};

/// Runs that are merged at once; more are first merged into fewer, so that files and buffers stay few.
const FAN_IN: usize = 64;

/// Offsets are 32 bits wide; a row is a few MiB at most.
const MAX_CHUNK: usize = 3 << 30;

/// Collects rows and sorts them. While a full chunk is sorted and written by a second thread, the next one fills.
pub(crate) struct Sorter {
    scratch: Arc<Scratch>,
    chunk: Chunk,
    spilling: Spilling,
    runs: Vec<Run>,
    rows: u64,
}

impl Sorter {
    /// Keeps at most about `budget` bytes of rows in memory.
    pub(crate) fn new(scratch: &Arc<Scratch>, budget: usize) -> Self {
        Sorter {
            scratch: Arc::clone(scratch),
            chunk: Chunk::new((budget / 2).min(MAX_CHUNK)),
            spilling: Spilling(None),
            runs: Vec::new(),
            rows: 0,
        }
    }

    /// Adds the row that `write` appends to the buffer it is given. If `write` fails, nothing is added.
    pub(crate) fn push<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> io::Result<Result<(), E>> {
        if self.chunk.size() >= self.chunk.limit {
            self.spill()?;
        }
        let pushed = self.chunk.push(write);
        self.rows += u64::from(pushed.is_ok());
        Ok(pushed)
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
        if self.chunk.size() > keep {
            self.spill()?;
        }
        if let Some((run, _)) = self.spilling.wait()? {
            self.runs.push(run);
        }
        self.chunk.sort();
        self.chunk.arena.shrink_to_fit();
        self.chunk.entries.shrink_to_fit();
        while self.runs.len() > FAN_IN {
            let merged: Vec<Run> = self.runs.drain(..FAN_IN).collect();
            let mut writer = RunWriter::create(&self.scratch)?;
            let mut rows = Merge::of_runs(&merged)?;
            while let Some(row) = rows.next()? {
                writer.write(row)?;
            }
            self.runs.push(writer.finish()?);
        }
        Ok(Sorted {
            chunk: self.chunk,
            runs: self.runs,
            rows: self.rows,
        })
    }

    fn spill(&mut self) -> io::Result<()> {
        let empty = match self.spilling.wait()? {
            Some((run, chunk)) => {
                self.runs.push(run);
                chunk
            }
            None => Chunk::new(self.chunk.limit),
        };
        let full = std::mem::replace(&mut self.chunk, empty);
        let scratch = Arc::clone(&self.scratch);
        let write = move || full.into_run(&scratch);
        let thread = std::thread::Builder::new()
            .name("tre sort".to_owned())
            .spawn(write)?;
        self.spilling.0 = Some(thread);
        Ok(())
    }
}

/// A chunk on its way to the disk. It is waited for in any case, so that nothing is written after the ingest has ended.
struct Spilling(Option<JoinHandle<io::Result<(Run, Chunk)>>>);

impl Spilling {
    /// The run, if one was being written, and the chunk, which is empty now.
    fn wait(&mut self) -> io::Result<Option<(Run, Chunk)>> {
        let Some(thread) = self.0.take() else {
            return Ok(None);
        };
        let ended = |_| io::Error::other("the sorting thread ended early");
        thread.join().map_err(ended)?.map(Some)
    }
}

impl Drop for Spilling {
    fn drop(&mut self) {
        // Whoever drops it unread has failed already.
        drop(self.wait());
    }
}

/// Rows in memory.
struct Chunk {
    limit: usize,
    arena: Vec<u8>,
    entries: Vec<Entry>,
}

/// A row in the arena. The first bytes of the row stand beside its place, so that most comparisons touch nothing else.
#[derive(Clone, Copy)]
struct Entry {
    head: u64,
    start: u32,
    length: u32,
}

impl Chunk {
    fn new(limit: usize) -> Self {
        // Address space only: pages that no row reaches are never touched.
        Chunk {
            limit,
            arena: Vec::with_capacity(limit),
            entries: Vec::new(),
        }
    }

    fn size(&self) -> usize {
        self.arena.len() + self.entries.len() * size_of::<Entry>()
    }

    fn push<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let start = self.arena.len();
        if let Err(error) = write(&mut self.arena) {
            self.arena.truncate(start);
            return Err(error);
        }
        let row = self.arena.get(start..).unwrap_or_default();
        self.entries.push(Entry {
            head: head(row),
            start: start as u32,
            length: row.len() as u32,
        });
        Ok(())
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.entries.sort_unstable_by(|left, right| {
            left.head
                .cmp(&right.head)
                .then_with(|| row_of(arena, left).cmp(row_of(arena, right)))
        });
    }

    fn into_run(mut self, scratch: &Scratch) -> io::Result<(Run, Chunk)> {
        self.sort();
        let mut writer = RunWriter::create(scratch)?;
        for entry in &self.entries {
            writer.write(row_of(&self.arena, entry))?;
        }
        self.arena.clear();
        self.entries.clear();
        Ok((writer.finish()?, self))
    }
}

/// Rows in order, to be read as often as needed.
pub(crate) struct Sorted {
    chunk: Chunk,
    runs: Vec<Run>,
    rows: u64,
}

impl Sorted {
    /// Reads from the first row.
    pub(crate) fn read(&self) -> io::Result<Merge<'_>> {
        Merge::new(&self.chunk.arena, &self.chunk.entries, &self.runs)
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of memory that they take.
    pub(crate) fn memory(&self) -> usize {
        self.chunk.arena.capacity() + self.chunk.entries.capacity() * size_of::<Entry>()
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
        let scratch = Arc::new(Scratch::new(directory.path()).unwrap());
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
