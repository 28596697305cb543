//! Verification: from the entries alone, every hash, tile and root is computed anew and compared.
//!
//! Nothing is written and nothing is believed but the public key. What is checked, in this order: the signature of the
//! checkpoint; for each entry that it is canonical JSON, numbered by its place, and has the hash that its tile says;
//! all tiles; the root; an earlier checkpoint that somebody kept elsewhere, if one is given (without one, a log that was
//! cut back to an old checkpoint of its own cannot be told from an old log); pending entries with the checkpoint
//! that each frame carries; every other file of the log's directory.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use tlog_tiles::{Hash, record_hash};

use super::note::{Checker, Head};
use super::pending::{self, Frame, Scan};
use super::snapshot::Snapshot;
use super::tiles::{Directory, push_entry, split_entries};
use super::tree::{self, Named, Place, Tree, WIDTH};
use crate::files::FileError;

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The log's name.
    pub origin: String,
    /// Entries that were verified, pending ones included.
    pub entries: u64,
    /// How many of them the checkpoint file covers.
    pub checkpointed: u64,
    /// Root over the checkpointed entries, base64, as the checkpoint says it.
    pub root: String,
    /// The first thing that is not as it must be; none if the log is intact.
    pub fault: Option<Fault>,
}

/// The first place at which a log is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// File, relative to the log's directory.
    pub file: String,
    /// Index of the entry, where one is to blame.
    pub position: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.file)?;
        if let Some(position) = self.position {
            write!(f, ", entry {position}")?;
        }
        write!(f, ": {}", self.what)
    }
}

pub(super) fn fault(file: impl Into<String>, position: Option<u64>, what: impl Into<String>) -> Fault {
    Fault {
        file: file.into(),
        position,
        what: what.into(),
    }
}

/// Verifies the log in a directory by its public key (`name+id+key`), also while a server appends. `earlier` is a signed
/// checkpoint of this log that was kept elsewhere: its entries must still be the first ones.
pub fn verify(directory: &Path, vkey: &str, earlier: Option<&[u8]>) -> Report {
    let directory = Directory::new(directory);
    let mut check = Check::default();
    let fault = Snapshot::take(&directory)
        .and_then(|snapshot| check.run(&directory, &snapshot, vkey.trim_end(), earlier))
        .err();
    Report {
        origin: check.origin,
        entries: check.tree.size(),
        checkpointed: check.checkpointed,
        root: check.root,
        fault,
    }
}

#[derive(Default)]
struct Check {
    origin: String,
    tree: Tree,
    checkpointed: u64,
    root: String,
    /// The rightmost bundle with what is pending behind it, and the tiles that are full only with that. Tiles and
    /// bundles that are not under the checkpoint, which a crash may have left, must agree with these.
    ahead_tiles: BTreeMap<Place, Vec<Hash>>,
    ahead_bundles: BTreeMap<u64, Vec<u8>>,
}

impl Check {
    fn run(
        &mut self,
        directory: &Directory,
        snapshot: &Snapshot,
        vkey: &str,
        earlier: Option<&[u8]>,
    ) -> Result<(), Fault> {
        let checker = Checker::new(vkey).map_err(|what| fault("vkey", None, what))?;
        self.origin = checker.origin().to_owned();
        if read(directory, "vkey")? != vkey.as_bytes() {
            return Err(fault("vkey", None, "is not the key that was given"));
        }
        let head = checker
            .open(&snapshot.checkpoint)
            .map_err(|what| fault("checkpoint", None, what))?;
        let earlier = earlier.map(|note| checker.open(note)).transpose();
        let earlier =
            earlier.map_err(|what| fault("checkpoint", None, format!("the earlier one: {what}")))?;
        if let Some(earlier) = earlier.filter(|earlier| earlier.size > head.size) {
            let what = format!("has {} entries, an earlier one had {}", head.size, earlier.size);
            return Err(fault("checkpoint", None, what));
        }

        let log = Files { directory, snapshot };
        for index in 0..head.size.div_ceil(WIDTH) {
            self.bundle(log, index, head.size, earlier)?;
        }
        for (place, tile) in self.tree.partial() {
            log.compare_tile(place, tile)?;
        }
        compare_earlier(&self.tree, earlier)?;
        if self.tree.root() != head.root {
            return Err(fault("checkpoint", None, "its root is not that of the entries"));
        }
        (self.checkpointed, self.root) = (head.size, head.root.to_string());

        self.pending(log, &checker)?;
        self.other_files(log)
    }

    /// Entries of a bundle, with their hash tile and all tiles that become full with it.
    fn bundle(&mut self, log: Files<'_>, index: u64, size: u64, earlier: Option<Head>) -> Result<(), Fault> {
        let first = index * WIDTH;
        let width = WIDTH.min(size - first);
        let path = tree::bundle_path(index, width);
        let bytes = log.read(&path, width)?;
        let entries = match split_entries(&bytes, width) {
            Some((entries, [])) => entries,
            Some(_) | None => return Err(fault(&path, None, format!("has not {width} entries"))),
        };
        let leaves = log.tile((0, index), width)?;
        for ((position, entry), leaf) in (first..).zip(entries).zip(leaves) {
            compare_earlier(&self.tree, earlier)?;
            let hash = record_hash(entry);
            if hash != leaf {
                return Err(fault(
                    &path,
                    Some(position),
                    "has not the hash that its tile says",
                ));
            }
            check_entry(entry, position).map_err(|what| fault(&path, Some(position), what))?;
            let mut full = Vec::new();
            self.tree
                .push(hash, |place, tile| full.push((place, tile.to_vec())));
            for (place, tile) in full {
                log.compare_tile(place, &tile)?;
            }
        }
        if width < WIDTH {
            self.ahead_bundles.insert(index, bytes);
        }
        Ok(())
    }

    fn pending(&mut self, log: Files<'_>, checker: &Checker) -> Result<(), Fault> {
        const FILE: &str = "pending";
        let Scan { frames, torn, .. } =
            pending::scan(&log.snapshot.pending).map_err(|position| fault(FILE, position, "was altered"))?;
        for frame in frames {
            let signed = checker
                .open(&frame.checkpoint)
                .map_err(|what| fault(FILE, Some(frame.first), what))?;
            if frame.end() <= self.checkpointed {
                self.repeated(log, &frame)?;
                continue;
            }
            if frame.first != self.tree.size() || frame.end() != signed.size {
                return Err(fault(FILE, Some(frame.first), "does not continue the log"));
            }
            for (position, entry) in (frame.first..).zip(&frame.entries) {
                check_entry(entry, position).map_err(|what| fault(FILE, Some(position), what))?;
                self.tree.push(record_hash(entry), |place, tile| {
                    self.ahead_tiles.insert(place, tile.to_vec());
                });
                let bundle = self.ahead_bundles.entry(position / WIDTH).or_default();
                push_entry(bundle, entry).ok_or_else(|| fault(FILE, Some(position), "is too large"))?;
            }
            if self.tree.root() != signed.root {
                let what = "the entries have not the root that was signed with them";
                return Err(fault(FILE, Some(frame.first), what));
            }
        }
        if torn {
            let what =
                "ends within an entry: the process ended while writing, or the file was cut; open the home";
            return Err(fault(FILE, Some(self.tree.size()), what));
        }
        Ok(())
    }

    /// A frame whose entries are in bundles already: the crash came before the file was emptied.
    fn repeated(&self, log: Files<'_>, frame: &Frame) -> Result<(), Fault> {
        for (position, entry) in (frame.first..).zip(&frame.entries) {
            let index = position / WIDTH;
            let leaves = log.tile((0, index), WIDTH.min(self.checkpointed - index * WIDTH))?;
            if leaves.get((position % WIDTH) as usize) != Some(&record_hash(entry)) {
                return Err(fault("pending", Some(position), "is not the entry of the bundle"));
            }
        }
        Ok(())
    }

    /// Files that were not looked at on the way: narrower or wider tiles that a crash left must agree with the entries,
    /// and nothing else may lie here.
    fn other_files(&mut self, log: Files<'_>) -> Result<(), Fault> {
        if let Some(path) = log.snapshot.foreign.first() {
            return Err(fault(path, None, "does not belong to the log"));
        }
        for (place, tile) in self.tree.partial() {
            self.ahead_tiles.insert(place, tile.to_vec());
        }
        for (path, bytes) in &log.snapshot.edge {
            let expected = match tree::parse_path(path) {
                None => None,
                Some(Named::Tile(place, width)) => match self.ahead_tiles.get(&place) {
                    Some(tile) => prefix_of_tile(tile, width),
                    None => log
                        .tile(place, WIDTH)
                        .ok()
                        .and_then(|tile| prefix_of_tile(&tile, width)),
                },
                Some(Named::Bundle(index, width)) => match self.ahead_bundles.get(&index) {
                    Some(bundle) => prefix_of_bundle(bundle, width),
                    None => {
                        let bundle = log.read(&tree::bundle_path(index, WIDTH), WIDTH).ok();
                        bundle.and_then(|bundle| prefix_of_bundle(&bundle, width))
                    }
                },
            };
            if expected.as_ref() != Some(bytes) {
                return Err(fault(path, None, "does not agree with the entries"));
            }
        }
        Ok(())
    }
}

/// The files of a log: those that never change where they lie, the others as they were.
#[derive(Clone, Copy)]
struct Files<'l> {
    directory: &'l Directory,
    snapshot: &'l Snapshot,
}

impl Files<'_> {
    fn read(&self, path: &str, width: u64) -> Result<Vec<u8>, Fault> {
        match self.snapshot.edge.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None if width < WIDTH => Err(fault(path, None, "is missing")),
            None => read(self.directory, path),
        }
    }

    fn tile(&self, place: Place, width: u64) -> Result<Vec<Hash>, Fault> {
        let path = tree::tile_path(place, width);
        let hashes = tree::tile_hashes(&self.read(&path, width)?);
        let hashes = hashes.filter(|hashes| hashes.len() as u64 == width);
        hashes.ok_or_else(|| fault(&path, None, format!("has not {width} hashes")))
    }

    fn compare_tile(&self, place: Place, tile: &[Hash]) -> Result<(), Fault> {
        let width = tile.len() as u64;
        let path = tree::tile_path(place, width);
        if self.read(&path, width)? == tree::tile_bytes(tile) {
            Ok(())
        } else {
            Err(fault(path, None, "does not agree with the entries"))
        }
    }
}

fn prefix_of_tile(tile: &[Hash], width: u64) -> Option<Vec<u8>> {
    tile.get(..usize::try_from(width).ok()?).map(tree::tile_bytes)
}

fn prefix_of_bundle(bundle: &[u8], width: u64) -> Option<Vec<u8>> {
    let (_, rest) = split_entries(bundle, width)?;
    bundle.get(..bundle.len() - rest.len()).map(<[u8]>::to_vec)
}

pub(super) fn unreadable(path: &str, error: &FileError) -> Fault {
    fault(
        path,
        None,
        if error.is_missing() {
            "is missing".to_owned()
        } else {
            error.to_string()
        },
    )
}

fn read(directory: &Directory, path: &str) -> Result<Vec<u8>, Fault> {
    directory.read(path).map_err(|error| unreadable(path, &error))
}

fn compare_earlier(tree: &Tree, earlier: Option<Head>) -> Result<(), Fault> {
    match earlier {
        Some(head) if head.size == tree.size() && head.root != tree.root() => Err(fault(
            "checkpoint",
            None,
            format!("the first {} entries are not those signed earlier", head.size),
        )),
        Some(_) | None => Ok(()),
    }
}

/// Canonical JSON, numbered by its place.
fn check_entry(entry: &[u8], position: u64) -> Result<(), String> {
    let value: serde_json::Value =
        serde_json::from_slice(entry).map_err(|error| format!("is not JSON: {error}"))?;
    let canonical =
        serde_json_canonicalizer::to_vec(&value).map_err(|error| format!("is not JSON: {error}"))?;
    if canonical != entry {
        return Err("is not in canonical form".to_owned());
    }
    match value
        .pointer("/metadata/sequence")
        .and_then(serde_json::Value::as_u64)
    {
        Some(sequence) if sequence == position => Ok(()),
        Some(sequence) => Err(format!("is numbered {sequence}")),
        None => Err("is not numbered".to_owned()),
    }
}

#[cfg(test)]
mod tests;
