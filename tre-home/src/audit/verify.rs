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
use super::read::read_bundle;
use super::tiles::{Directory, push_entry, split_entries};
use super::tree::{self, Named, Place, Tree, WIDTH};
use super::{AuditError, tiles};
use crate::files::{self, FileError};

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

fn fault(file: impl Into<String>, position: Option<u64>, what: impl Into<String>) -> Fault {
    Fault {
        file: file.into(),
        position,
        what: what.into(),
    }
}

/// A writer that is at work shows as a difference that is gone at the next look.
const LOOKS: u32 = 100;

/// Verifies the log in a directory by its public key (`name+id+key`). `earlier` is a signed checkpoint of this log that
/// was kept elsewhere: its entries must still be the first ones.
pub fn verify(directory: &Path, vkey: &str, earlier: Option<&[u8]>) -> Report {
    let directory = Directory::new(directory);
    let mut before = state(&directory);
    let mut look = 0;
    loop {
        let mut check = Check::default();
        let fault = check.run(&directory, vkey.trim_end(), earlier).err();
        let after = state(&directory);
        look += 1;
        if fault.is_none() || before == after || look == LOOKS {
            return Report {
                origin: check.origin,
                entries: check.tree.size(),
                checkpointed: check.checkpointed,
                root: check.root,
                fault,
            };
        }
        before = after;
        std::thread::yield_now();
    }
}

/// What a working writer changes with every step.
fn state(directory: &Directory) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    (
        files::read(&directory.checkpoint()).ok(),
        files::read(&directory.pending()).ok(),
    )
}

#[derive(Default)]
struct Check {
    origin: String,
    tree: Tree,
    checkpointed: u64,
    root: String,
    /// The last bundle with what is pending behind it, and the tiles that become full by that: a crash may have left
    /// files of them.
    ahead_tiles: BTreeMap<Place, Vec<Hash>>,
    ahead_bundles: BTreeMap<u64, Vec<u8>>,
}

impl Check {
    fn run(&mut self, directory: &Directory, vkey: &str, earlier: Option<&[u8]>) -> Result<(), Fault> {
        let checker = Checker::new(vkey).map_err(|what| fault("vkey", None, what))?;
        self.origin = checker.origin().to_owned();
        if read(directory, "vkey")? != vkey.as_bytes() {
            return Err(fault("vkey", None, "is not the key that was given"));
        }
        let head = checker
            .open(&read(directory, "checkpoint")?)
            .map_err(|what| fault("checkpoint", None, what))?;
        let earlier = earlier.map(|note| checker.open(note)).transpose();
        let earlier =
            earlier.map_err(|what| fault("checkpoint", None, format!("the earlier one: {what}")))?;
        if let Some(earlier) = earlier.filter(|earlier| earlier.size > head.size) {
            let what = format!("has {} entries, an earlier one had {}", head.size, earlier.size);
            return Err(fault("checkpoint", None, what));
        }
        // Read before the tiles, so that a writer that empties it meanwhile has moved the checkpoint.
        let pending = read(directory, "pending")?;

        for index in 0..head.size.div_ceil(WIDTH) {
            self.bundle(directory, index, head.size, earlier)?;
        }
        for (place, tile) in self.tree.partial() {
            let path = tree::tile_path(place, tile.len() as u64);
            compare_tile(directory, &path, tile)?;
        }
        compare_earlier(&self.tree, earlier)?;
        if self.tree.root() != head.root {
            return Err(fault("checkpoint", None, "its root is not that of the entries"));
        }
        (self.checkpointed, self.root) = (head.size, head.root.to_string());

        self.pending(directory, &checker, &pending)?;
        self.other_files(directory)
    }

    /// Entries of a bundle, with their hash tile and all tiles that become full with it.
    fn bundle(
        &mut self,
        directory: &Directory,
        index: u64,
        size: u64,
        earlier: Option<Head>,
    ) -> Result<(), Fault> {
        let first = index * WIDTH;
        let width = WIDTH.min(size - first);
        let path = tree::bundle_path(index, width);
        let entries = read_bundle(directory, index, width).map_err(|error| match error {
            AuditError::File(error) => unreadable(&path, &error),
            error => fault(&path, None, error.to_string()),
        })?;
        let leaves = read_tile(directory, (0, index), width)?;
        for ((position, entry), leaf) in (first..).zip(&entries).zip(leaves) {
            compare_earlier(&self.tree, earlier)?;
            check_entry(entry, position).map_err(|what| fault(&path, Some(position), what))?;
            let hash = record_hash(entry);
            if hash != leaf {
                return Err(fault(
                    &path,
                    Some(position),
                    "has not the hash that its tile says",
                ));
            }
            let mut full = Vec::new();
            self.tree
                .push(hash, |place, tile| full.push((place, tile.to_vec())));
            for (place, tile) in full {
                compare_tile(directory, &tree::tile_path(place, WIDTH), &tile)?;
            }
        }
        if width < WIDTH {
            self.ahead_bundles.insert(index, read(directory, &path)?);
        }
        Ok(())
    }

    fn pending(&mut self, directory: &Directory, checker: &Checker, bytes: &[u8]) -> Result<(), Fault> {
        const FILE: &str = "pending";
        let Scan { frames, torn, .. } =
            pending::scan(bytes).map_err(|position| fault(FILE, position, "was altered"))?;
        for frame in frames {
            let signed = checker
                .open(&frame.checkpoint)
                .map_err(|what| fault(FILE, Some(frame.first), what))?;
            if frame.end() <= self.checkpointed {
                self.repeated(directory, &frame)?;
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
    fn repeated(&self, directory: &Directory, frame: &Frame) -> Result<(), Fault> {
        for (position, entry) in (frame.first..).zip(&frame.entries) {
            let index = position / WIDTH;
            let width = WIDTH.min(self.checkpointed - index * WIDTH);
            let leaves = read_tile(directory, (0, index), width)?;
            if leaves.get((position % WIDTH) as usize) != Some(&record_hash(entry)) {
                return Err(fault("pending", Some(position), "is not the entry of the bundle"));
            }
        }
        Ok(())
    }

    /// Files that were not looked at on the way: narrower or wider tiles that a crash left must agree with the entries,
    /// and nothing else may lie here.
    fn other_files(&mut self, directory: &Directory) -> Result<(), Fault> {
        for (place, tile) in self.tree.partial() {
            self.ahead_tiles.insert(place, tile.to_vec());
        }
        for path in directory.inventory().map_err(|error| unreadable("", &error))? {
            let named = match tree::parse_path(&path) {
                _ if path.ends_with(files::UNFINISHED) => continue,
                None if matches!(path.as_str(), "checkpoint" | "vkey" | "pending") => continue,
                None => return Err(fault(path, None, "does not belong to the log")),
                Some(named) => named,
            };
            let agrees = match named {
                Named::Tile((level, index), width) => {
                    let full = (index + 1) * WIDTH
                        <= self.checkpointed.checked_shr(8 * u32::from(level)).unwrap_or(0);
                    match (full, width) {
                        (true, WIDTH) => continue,
                        (true, _) => prefix_of_tile(&read_tile(directory, (level, index), WIDTH)?, width),
                        (false, _) => self
                            .ahead_tiles
                            .get(&(level, index))
                            .and_then(|tile| prefix_of_tile(tile, width)),
                    }
                }
                Named::Bundle(index, width) => {
                    let full = (index + 1) * WIDTH <= self.checkpointed;
                    match (full, width) {
                        (true, WIDTH) => continue,
                        (true, _) => {
                            prefix_of_bundle(&read(directory, &tree::bundle_path(index, WIDTH))?, width)
                        }
                        (false, _) => self
                            .ahead_bundles
                            .get(&index)
                            .and_then(|bundle| prefix_of_bundle(bundle, width)),
                    }
                }
            };
            if agrees != Some(read(directory, &path)?) {
                return Err(fault(path, None, "does not agree with the entries"));
            }
        }
        Ok(())
    }
}

fn prefix_of_tile(tile: &[Hash], width: u64) -> Option<Vec<u8>> {
    tile.get(..usize::try_from(width).ok()?).map(tree::tile_bytes)
}

fn prefix_of_bundle(bundle: &[u8], width: u64) -> Option<Vec<u8>> {
    let (_, rest) = split_entries(bundle, width)?;
    bundle.get(..bundle.len() - rest.len()).map(<[u8]>::to_vec)
}

fn unreadable(path: &str, error: &FileError) -> Fault {
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

fn read_tile(directory: &Directory, place: Place, width: u64) -> Result<Vec<Hash>, Fault> {
    let path = tree::tile_path(place, width);
    let tile = directory
        .tile(place, width)
        .map_err(|error| unreadable(&path, &error))?;
    tile.ok_or_else(|| fault(&path, None, format!("has not {width} hashes")))
}

fn compare_tile(directory: &Directory, path: &str, tile: &[Hash]) -> Result<(), Fault> {
    if read(directory, path)? == tree::tile_bytes(tile) {
        Ok(())
    } else {
        Err(fault(path, None, "does not agree with the entries"))
    }
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
    if entry.len() > tiles::LARGEST_ENTRY {
        return Err("is too large".to_owned());
    }
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
