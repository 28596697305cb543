//! Files of the log: bundles of entries, hash tiles, checkpoint, pending file.

use std::fs;
use std::path::{Path, PathBuf};

use tlog_tiles::Hash;

use super::tree::{self, Place};
use crate::files::{self, FileError, PRIVATE_DIR, PRIVATE_FILE};

/// Largest entry in bytes: its length has 16 bits in a bundle.
pub const LARGEST_ENTRY: usize = 65_535;

/// The log's directory.
#[derive(Debug, Clone)]
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new(path: &Path) -> Self {
        Directory(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint")
    }

    pub(super) fn vkey(&self) -> PathBuf {
        self.0.join("vkey")
    }

    pub(super) fn pending(&self) -> PathBuf {
        self.0.join("pending")
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, FileError> {
        files::read(&self.0.join(name))
    }

    /// Hashes of a tile; none if the file has not `width` of them.
    pub(super) fn tile(&self, place: Place, width: u64) -> Result<Option<Vec<Hash>>, FileError> {
        let bytes = self.read(&tree::tile_path(place, width))?;
        Ok(tree::tile_hashes(&bytes).filter(|hashes| hashes.len() as u64 == width))
    }

    /// Writes a tile or bundle under its final name, making directories on the way.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.0.join(name);
        self.make_parents(files::parent(&path))?;
        files::replace(&path, bytes, PRIVATE_FILE)
    }

    fn make_parents(&self, directory: &Path) -> Result<(), FileError> {
        if directory.is_dir() {
            return Ok(());
        }
        self.make_parents(files::parent(directory))?;
        files::make_dir(directory, PRIVATE_DIR)?;
        files::sync_dir(files::parent(directory))
    }

    /// Removes a partial tile or bundle that a wider one replaces, and its directory when that is empty.
    pub(super) fn remove(&self, name: &str) -> Result<(), FileError> {
        let path = self.0.join(name);
        files::remove_if_there(&path)?;
        // Fails where another partial tile is, which is the point.
        let _ = fs::remove_dir(files::parent(&path));
        Ok(())
    }

    /// Names of all files in the log's directory, relative to it, in order.
    pub(super) fn inventory(&self) -> Result<Vec<String>, FileError> {
        let mut names = Vec::new();
        let mut waiting = vec![String::new()];
        while let Some(directory) = waiting.pop() {
            for (name, is_dir) in files::list(&self.0.join(&directory))? {
                let name = if directory.is_empty() {
                    name
                } else {
                    format!("{directory}/{name}")
                };
                if is_dir {
                    waiting.push(name)
                } else {
                    names.push(name)
                }
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Appends an entry to a bundle; nothing if it is too large.
pub(super) fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Option<()> {
    bundle.extend(u16::try_from(entry.len()).ok()?.to_be_bytes());
    bundle.extend(entry);
    Some(())
}

/// The first `count` entries of a bundle and what follows them; nothing if there are fewer.
pub(super) fn split_entries(bytes: &[u8], count: u64) -> Option<(Vec<&[u8]>, &[u8])> {
    let mut rest = bytes;
    let mut entries = Vec::new();
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = after;
    }
    Some((entries, rest))
}
