//! Reading the log's entries in order, also while a server appends.

use std::collections::VecDeque;
use std::path::Path;

use super::AuditError;
use super::note;
use super::pending;
use super::tiles::{Directory, split_entries};
use super::tree::{self, WIDTH};
use crate::files;

/// All entries of a log in order, each in canonical JSON; written one to a line they are an export. Nothing is verified
/// on the way, see [`super::verify`]. After an error it is at its end.
#[derive(Debug)]
pub struct Entries {
    directory: Directory,
    next: u64,
    ready: VecDeque<Vec<u8>>,
    ended: bool,
}

impl Entries {
    /// Reads the log in a directory, from the entry with index `first` on.
    pub fn new(directory: &Path, first: u64) -> Entries {
        Entries {
            directory: Directory::new(directory),
            next: first,
            ready: VecDeque::new(),
            ended: false,
        }
    }

    /// Gets more entries ready, if there are any.
    fn fill(&mut self) -> Result<(), AuditError> {
        let mut size = self.checkpointed()?;
        loop {
            let found = if self.next < size {
                self.bundled(size)
            } else {
                self.pending_ones()
            };
            // A writer brings pending entries into bundles, and replaces narrow bundles by wide ones, while we read.
            let now = self.checkpointed()?;
            match found {
                Ok(entries) if !entries.is_empty() || now == size => {
                    self.next += entries.len() as u64;
                    self.ready.extend(entries);
                    return Ok(());
                }
                Err(error) if now == size => return Err(error),
                Ok(_) | Err(_) => size = now,
            }
        }
    }

    fn checkpointed(&self) -> Result<u64, AuditError> {
        let bytes = files::read(&self.directory.checkpoint())?;
        note::claimed_size(&bytes).ok_or_else(|| AuditError::Broken("`checkpoint` is none".to_owned()))
    }

    fn bundled(&self, size: u64) -> Result<Vec<Vec<u8>>, AuditError> {
        let index = self.next / WIDTH;
        let width = WIDTH.min(size - index * WIDTH);
        let path = tree::bundle_path(index, width);
        let bytes = self.directory.read(&path)?;
        let entries = match split_entries(&bytes, width) {
            Some((entries, [])) => entries,
            Some(_) | None => return Err(AuditError::Broken(format!("`{path}` has not {width} entries"))),
        };
        Ok(entries
            .into_iter()
            .skip((self.next % WIDTH) as usize)
            .map(<[u8]>::to_vec)
            .collect())
    }

    fn pending_ones(&self) -> Result<Vec<Vec<u8>>, AuditError> {
        let bytes = files::read(&self.directory.pending())?;
        let scan =
            pending::scan(&bytes).map_err(|_| AuditError::Broken("`pending` was altered".to_owned()))?;
        let entries = scan
            .frames
            .into_iter()
            .flat_map(|frame| (frame.first..).zip(frame.entries));
        let wanted = entries.skip_while(|(index, _)| *index < self.next);
        Ok((self.next..)
            .zip(wanted)
            .map_while(|(next, (index, entry))| (next == index).then_some(entry))
            .collect())
    }
}

impl Iterator for Entries {
    type Item = Result<Vec<u8>, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty()
            && !self.ended
            && let Err(error) = self.fill()
        {
            self.ended = true;
            return Some(Err(error));
        }
        self.ended |= self.ready.is_empty();
        self.ready.pop_front().map(Ok)
    }
}
