//! What of a log changes while it grows, read at one moment.
//!
//! Full tiles and bundles never change. All else is small, and is read between two looks at the checkpoint: if that
//! is the same at both, the files between belong to it, however busily a server appends.

use std::collections::BTreeMap;

use super::note;
use super::pending;
use super::tiles::Directory;
use super::tree::{self, Named, WIDTH};
use super::verify::{Fault, fault, unreadable};
use crate::files::UNFINISHED;

/// Looks before a checkpoint that always changes counts as a fault; each lasts as long as listing the directory.
const LOOKS: u32 = 1000;

/// The changing files of a log.
pub(super) struct Snapshot {
    pub(super) checkpoint: Vec<u8>,
    pub(super) pending: Vec<u8>,
    /// Bundles and tiles that are not full, or not yet under the checkpoint, by path.
    pub(super) edge: BTreeMap<String, Vec<u8>>,
    /// Full tiles and bundles under the checkpoint, by path; what is in them never changes.
    pub(super) settled: Vec<String>,
    /// Files that are none of a log's.
    pub(super) foreign: Vec<String>,
}

impl Snapshot {
    pub(super) fn take(directory: &Directory) -> Result<Snapshot, Fault> {
        let mut last_pending = None;
        for _ in 0..LOOKS {
            let before = read(directory, "checkpoint")?;
            let looked = look(directory, &before);
            if read(directory, "checkpoint")? != before {
                std::thread::yield_now();
                continue;
            }
            let snapshot = looked?;
            // A frame that is being written is longer, or whole, at the next look.
            let torn = pending::scan(&snapshot.pending).is_ok_and(|scan| scan.torn);
            if !torn || last_pending.as_ref() == Some(&snapshot.pending) {
                return Ok(snapshot);
            }
            last_pending = Some(snapshot.pending);
            std::thread::yield_now();
        }
        Err(fault("checkpoint", None, "never stays the same while it is read"))
    }
}

fn look(directory: &Directory, checkpoint: &[u8]) -> Result<Snapshot, Fault> {
    let size = note::claimed_size(checkpoint).unwrap_or(0);
    let mut edge = BTreeMap::new();
    let (mut settled, mut foreign) = (Vec::new(), Vec::new());
    for path in directory.inventory().map_err(|error| unreadable("", &error))? {
        let never_changes = match tree::parse_path(&path) {
            _ if path.ends_with(UNFINISHED) => continue,
            None => {
                if !matches!(path.as_str(), "checkpoint" | "vkey" | "pending") {
                    foreign.push(path);
                }
                continue;
            }
            Some(Named::Tile((level, index), width)) => {
                width == WIDTH && index < tree::right_edge(size, level).0.1
            }
            Some(Named::Bundle(index, width)) => width == WIDTH && index < size / WIDTH,
        };
        if never_changes {
            settled.push(path);
            continue;
        }
        match directory.read(&path) {
            Ok(bytes) => drop(edge.insert(path, bytes)),
            // Replaced by a wider one; whether it was needed shows when it is looked for.
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(unreadable(&path, &error)),
        }
    }
    // Last, so that it has all entries that the tiles above may be ahead with.
    let pending = read(directory, "pending")?;
    Ok(Snapshot {
        checkpoint: checkpoint.to_vec(),
        pending,
        edge,
        settled,
        foreign,
    })
}

fn read(directory: &Directory, path: &str) -> Result<Vec<u8>, Fault> {
    directory.read(path).map_err(|error| unreadable(path, &error))
}
