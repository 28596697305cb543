//! Reading sorted rows: a heap over runs and what is still in memory.

use std::io;

use super::run::{Run, RunReader};
use super::{Entry, head, row_of};

/// Gives rows in order.
pub(crate) struct Merge<'a> {
    /// A binary heap by current row, smallest first; sources at their end are removed.
    sources: Vec<Source<'a>>,
    started: bool,
}

struct Source<'a> {
    head: u64,
    rows: Rows<'a>,
}

enum Rows<'a> {
    Memory {
        arena: &'a [u8],
        entries: std::slice::Iter<'a, Entry>,
        row: &'a [u8],
    },
    Run(Box<RunReader<'a>>),
}

impl<'a> Merge<'a> {
    pub(super) fn new(arena: &'a [u8], entries: &'a [Entry], runs: &'a [Run]) -> io::Result<Self> {
        let mut sources = Vec::with_capacity(runs.len() + 1);
        let memory = Rows::Memory {
            arena,
            entries: entries.iter(),
            row: &[],
        };
        for rows in runs
            .iter()
            .map(|run| run.read().map(Box::new).map(Rows::Run))
            .chain([Ok(memory)])
        {
            let mut source = Source { head: 0, rows: rows? };
            if source.advance()? {
                sources.push(source);
            }
        }
        let mut merge = Merge {
            sources,
            started: false,
        };
        for at in (0..merge.sources.len() / 2).rev() {
            merge.sift_down(at);
        }
        Ok(merge)
    }

    pub(super) fn of_runs(runs: &'a [Run]) -> io::Result<Self> {
        Merge::new(&[], &[], runs)
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.started
            && let Some(first) = self.sources.first_mut()
        {
            if !first.advance()? {
                self.sources.swap_remove(0);
            }
            self.sift_down(0);
        }
        self.started = true;
        Ok(self.sources.first().map(Source::row))
    }

    fn sift_down(&mut self, mut at: usize) {
        loop {
            let smaller = |left: usize, right: usize| match (self.sources.get(left), self.sources.get(right))
            {
                (Some(left), Some(right)) => left.is_less(right),
                _ => false,
            };
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let child = if smaller(right, left) { right } else { left };
            if !smaller(child, at) {
                return;
            }
            self.sources.swap(child, at);
            at = child;
        }
    }
}

impl Source<'_> {
    fn advance(&mut self) -> io::Result<bool> {
        match &mut self.rows {
            Rows::Memory { arena, entries, row } => {
                let Some(entry) = entries.next() else {
                    return Ok(false);
                };
                *row = row_of(arena, entry);
                self.head = entry.head;
            }
            Rows::Run(reader) => {
                if !reader.advance()? {
                    return Ok(false);
                }
                self.head = head(reader.row());
            }
        }
        Ok(true)
    }

    fn row(&self) -> &[u8] {
        match &self.rows {
            Rows::Memory { row, .. } => row,
            Rows::Run(reader) => reader.row(),
        }
    }

    fn is_less(&self, other: &Source<'_>) -> bool {
        match self.head.cmp(&other.head) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Greater => false,
            std::cmp::Ordering::Equal => self.row() < other.row(),
        }
    }
}
