//! The log as its one writer sees it: right edge of the tree in memory, files on the disk.

use std::fs::{File, OpenOptions};
use std::io::Write;

use tlog_tiles::{Hash, record_hash};
use tre_core::audit::{Actor, Event};

use super::entry;
use super::note::{Checker, Head, Signer};
use super::pending::{self, Frame};
use super::tiles::{Directory, push_entry, split_entries};
use super::tree::{self, Named, Place, Tree, WIDTH};
use super::{AuditError, Position};
use crate::failpoint::{
    AUDIT_BUNDLE, AUDIT_CHECKPOINT, AUDIT_PENDING, AUDIT_RESET, AUDIT_TIDY, AUDIT_TILE, Step,
};
use crate::files::{self, FileError, PRIVATE_FILE};

#[derive(Debug)]
pub(super) struct Writer {
    directory: Directory,
    signer: Signer,
    pending: File,
    /// With the pending entries.
    tree: Tree,
    /// Entries that the checkpoint file covers.
    checkpointed: u64,
    /// Tiles and bundles that became full after the checkpoint file was written.
    full_tiles: Vec<(Place, Vec<Hash>)>,
    full_bundles: Vec<(u64, Vec<u8>)>,
    /// The rightmost bundle.
    bundle: Vec<u8>,
}

impl Writer {
    /// Makes an empty log in an empty directory.
    pub(super) fn create(directory: &Directory, signer: &Signer, vkey: &str) -> Result<(), AuditError> {
        let empty = signer.sign(Head {
            size: 0,
            root: Tree::default().root(),
        })?;
        files::write_new(&directory.vkey(), vkey.as_bytes(), PRIVATE_FILE)?;
        files::write_new(&directory.pending(), b"", PRIVATE_FILE)?;
        files::write_new(&directory.checkpoint(), &empty, PRIVATE_FILE)?;
        Ok(files::sync_dir(directory.path())?)
    }

    /// Opens a log: the right edge must give the root that was signed, and what is pending must continue it. Entries that
    /// a crash left pending are brought into tiles, a frame that was being written is cut off.
    pub(super) fn open(directory: Directory, signer: Signer) -> Result<Writer, AuditError> {
        let broken = |what: String| AuditError::Broken(what);
        let vkey = String::from_utf8(files::read(&directory.vkey())?)
            .map_err(|_| broken("`vkey` is no text".to_owned()))?;
        let checker = Checker::new(&vkey).map_err(broken)?;
        if checker.origin() != signer.origin() {
            return Err(broken(format!(
                "`vkey` is of `{}`, the signing key of `{}`",
                checker.origin(),
                signer.origin()
            )));
        }
        let head = checker
            .open(&files::read(&directory.checkpoint())?)
            .map_err(|what| broken(format!("`checkpoint`: {what}")))?;
        let tree = Tree::load(head.size, |place, width| {
            let path = tree::tile_path(place, width);
            let tile = directory.tile(place, width)?;
            tile.ok_or_else(|| broken(format!("`{path}` has not {width} hashes")))
        })?;
        if tree.root() != head.root {
            return Err(broken(
                "the tiles do not give the root that the checkpoint signs".to_owned(),
            ));
        }
        let bundle = load_bundle(&directory, &tree)?;
        let pending = OpenOptions::new()
            .read(true)
            .append(true)
            .open(directory.pending())
            .map_err(FileError::on("open", &directory.pending()))?;
        let mut writer = Writer {
            directory,
            signer,
            pending,
            checkpointed: tree.size(),
            tree,
            full_tiles: Vec::new(),
            full_bundles: Vec::new(),
            bundle,
        };
        writer.recover(&checker)?;
        Ok(writer)
    }

    fn recover(&mut self, checker: &Checker) -> Result<(), AuditError> {
        let path = self.directory.pending();
        let scan = pending::scan(&files::read(&path)?).map_err(|position| {
            AuditError::Broken(match position {
                Some(position) => format!("`pending` was altered at or after entry {position}"),
                None => "`pending` was altered".to_owned(),
            })
        })?;
        if scan.torn {
            tracing::warn!("cutting off an audit entry that was being written when the process ended");
            self.pending
                .set_len(scan.whole)
                .and_then(|()| self.pending.sync_all())
                .map_err(FileError::on("cut", &path))?;
        }
        for frame in scan.frames {
            let broken = |what: &str| AuditError::Broken(format!("`pending`, entry {}: {what}", frame.first));
            let signed = checker.open(&frame.checkpoint).map_err(|what| broken(&what))?;
            if signed.size != frame.end() {
                return Err(broken("its checkpoint is of another size"));
            }
            if frame.end() <= self.checkpointed {
                continue; // The crash came between checkpoint and emptying.
            }
            if frame.first != self.tree.size() {
                return Err(broken("it does not continue the log"));
            }
            for entry in &frame.entries {
                self.grow(entry)?;
            }
            if self.tree.root() != signed.root {
                return Err(broken(
                    "its entries do not give the root that its checkpoint signs",
                ));
            }
        }
        if scan.whole > 0 {
            self.integrate()?;
        }
        self.remove_leftovers()
    }

    /// Entries in the log, pending ones included.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Whether there are entries that the checkpoint file does not cover.
    pub(super) fn has_pending(&self) -> bool {
        self.tree.size() > self.checkpointed
    }

    /// How many entries the checkpoint file does not cover.
    pub(super) fn pending_entries(&self) -> u64 {
        self.tree.size() - self.checkpointed
    }

    /// Makes entries durable, together. What is refused for itself (too large) has its own error and no number; an error
    /// of the whole means that it is not known what reached the disk, and that this writer must not be used again.
    pub(super) fn append(
        &mut self,
        events: Vec<(Actor, Event)>,
    ) -> Result<Vec<Result<Position, AuditError>>, AuditError> {
        let first = self.tree.size();
        let mut entries = Vec::new();
        let mut positions = Vec::new();
        for (actor, event) in events {
            let sequence = first + entries.len() as u64;
            let entry = entry::shape(sequence, actor, event);
            positions.push(entry.map(|entry| {
                entries.push(entry);
                Position(sequence)
            }));
        }
        if entries.is_empty() {
            return Ok(positions);
        }
        for entry in &entries {
            self.grow(entry)?;
        }
        let checkpoint = self.signer.sign(self.head())?;
        let frame = Frame {
            first,
            entries,
            checkpoint,
        }
        .to_bytes()
        .ok_or_else(|| AuditError::Failed("too many entries at once".to_owned()))?;
        let path = self.directory.pending();
        AUDIT_PENDING.run(|| {
            self.pending
                .write_all(&frame)
                .and_then(|()| self.pending.sync_data())
                .map_err(FileError::on("write", &path))
        })?;
        Ok(positions)
    }

    fn head(&self) -> Head {
        Head {
            size: self.tree.size(),
            root: self.tree.root(),
        }
    }

    /// Takes an entry into tree and bundle, in memory.
    fn grow(&mut self, entry: &[u8]) -> Result<(), AuditError> {
        let index = self.tree.size();
        self.tree.push(record_hash(entry), |place, tile| {
            self.full_tiles.push((place, tile.to_vec()))
        });
        push_entry(&mut self.bundle, entry).ok_or(AuditError::TooLarge { bytes: entry.len() })?;
        if self.tree.size().is_multiple_of(WIDTH) {
            self.full_bundles
                .push((index / WIDTH, std::mem::take(&mut self.bundle)));
        }
        Ok(())
    }

    /// Brings pending entries into bundles and tiles, signs the checkpoint over them, and empties the pending file.
    pub(super) fn integrate(&mut self) -> Result<(), AuditError> {
        if self.has_pending() {
            self.write_tiles()?;
            let checkpoint = self.signer.sign(self.head())?;
            let path = self.directory.checkpoint();
            AUDIT_CHECKPOINT.run(|| files::replace(&path, &checkpoint, PRIVATE_FILE))?;
        }
        let path = self.directory.pending();
        AUDIT_RESET.run(|| {
            self.pending
                .set_len(0)
                .and_then(|()| self.pending.sync_all())
                .map_err(FileError::on("empty", &path))
        })?;
        let before = std::mem::replace(&mut self.checkpointed, self.tree.size());
        if before != self.checkpointed {
            AUDIT_TIDY.run(|| self.tidy(before))
        } else {
            Ok(())
        }
    }

    fn write_tiles(&mut self) -> Result<(), AuditError> {
        let directory = &self.directory;
        let write = |step: &Step, path: String, bytes: &[u8]| step.run(|| directory.write(&path, bytes));
        for (index, bundle) in self.full_bundles.drain(..) {
            write(&AUDIT_BUNDLE, tree::bundle_path(index, WIDTH), &bundle)?;
        }
        let ((_, index), width) = tree::right_edge(self.tree.size(), 0);
        if width > 0 {
            write(&AUDIT_BUNDLE, tree::bundle_path(index, width), &self.bundle)?;
        }
        for (place, tile) in self.full_tiles.drain(..) {
            write(
                &AUDIT_TILE,
                tree::tile_path(place, WIDTH),
                &tree::tile_bytes(&tile),
            )?;
        }
        for (place, tile) in self.tree.partial() {
            let width = tile.len() as u64;
            if tree::right_edge(self.checkpointed, place.0) != (place, width) {
                write(
                    &AUDIT_TILE,
                    tree::tile_path(place, width),
                    &tree::tile_bytes(tile),
                )?;
            }
        }
        Ok(())
    }

    /// Removes the partial tiles and bundle of an earlier checkpoint that the present one does not need.
    fn tidy(&self, before: u64) -> Result<(), AuditError> {
        for level in tree::levels(before) {
            let old = tree::right_edge(before, level);
            let (place, width) = old;
            if width == 0 || old == tree::right_edge(self.checkpointed, level) {
                continue;
            }
            self.directory.remove(&tree::tile_path(place, width))?;
            if level == 0 {
                self.directory.remove(&tree::bundle_path(place.1, width))?;
            }
        }
        Ok(())
    }

    /// Removes what a crash left: unfinished files, and partial tiles that the checkpoint does not need.
    fn remove_leftovers(&self) -> Result<(), AuditError> {
        for name in self.directory.inventory()? {
            let needed = match tree::parse_path(&name) {
                _ if name.ends_with(files::UNFINISHED) => false,
                None | Some(Named::Tile(_, WIDTH) | Named::Bundle(_, WIDTH)) => true,
                Some(Named::Tile(place, width)) => {
                    tree::right_edge(self.checkpointed, place.0) == (place, width)
                }
                Some(Named::Bundle(index, width)) => {
                    tree::right_edge(self.checkpointed, 0) == ((0, index), width)
                }
            };
            if !needed {
                self.directory.remove(&name)?;
            }
        }
        Ok(())
    }

    /// The checkpoint file as it stands.
    pub(super) fn checkpoint(&self) -> Result<String, AuditError> {
        let bytes = files::read(&self.directory.checkpoint())?;
        String::from_utf8(bytes).map_err(|_| AuditError::Broken("`checkpoint` is no text".to_owned()))
    }
}

/// The rightmost bundle, whose entries must have the hashes of the tile beside it.
fn load_bundle(directory: &Directory, tree: &Tree) -> Result<Vec<u8>, AuditError> {
    let ((_, index), width) = tree::right_edge(tree.size(), 0);
    if width == 0 {
        return Ok(Vec::new());
    }
    let path = tree::bundle_path(index, width);
    let bytes = directory.read(&path)?;
    let entries = split_entries(&bytes, width)
        .filter(|(_, rest)| rest.is_empty())
        .map(|(entries, _)| entries);
    let leaves = tree
        .partial()
        .find(|((level, _), _)| *level == 0)
        .map(|(_, tile)| tile);
    let hashes = entries.map(|entries| entries.into_iter().map(record_hash).collect::<Vec<_>>());
    if hashes.as_deref() != leaves {
        return Err(AuditError::Broken(format!(
            "the entries of `{path}` have not the hashes of the tile"
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::audit::{AuditLog, LARGEST_ENTRY};

    fn writer(directory: &std::path::Path) -> Writer {
        let directory = Directory::new(directory);
        let (key, vkey) = super::super::note::new_key("test").unwrap();
        Writer::create(&directory, &Signer::from_text(&key).unwrap(), &vkey).unwrap();
        Writer::open(directory, Signer::from_text(&key).unwrap()).unwrap()
    }

    fn event() -> (Actor, Event) {
        (
            Actor::user("alice".parse().unwrap()),
            Event::ServerStopped {
                reason: "test".to_owned(),
            },
        )
    }

    #[test]
    fn a_log_that_failed_once_takes_nothing_any_more() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(directory.path());
        let good = std::mem::replace(
            &mut writer.pending,
            OpenOptions::new().append(true).open("/dev/full").unwrap(),
        );
        let log = AuditLog::start(writer).unwrap();
        let (actor, stopped) = event();
        let first = log
            .append_blocking(actor.clone(), stopped.clone())
            .unwrap_err()
            .to_string();
        assert!(
            first.contains("takes no entries") && first.contains("No space left"),
            "{first}"
        );
        drop(good);
        for _ in 0..3 {
            let again = log
                .append_blocking(actor.clone(), stopped.clone())
                .unwrap_err()
                .to_string();
            assert_eq!(again, first);
        }
        assert_eq!(log.checkpoint().unwrap_err().to_string(), first);
    }

    #[test]
    fn an_entry_that_is_too_large_is_refused_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(directory.path());
        let large = Event::ServerStopped {
            reason: "x".repeat(LARGEST_ENTRY),
        };
        let (actor, stopped) = event();
        let events = vec![
            (actor.clone(), stopped.clone()),
            (actor.clone(), large.clone()),
            (actor.clone(), stopped),
        ];
        let results = writer.append(events).unwrap();
        let positions: Vec<_> = results
            .iter()
            .map(|result| result.as_ref().ok().copied())
            .collect();
        assert_eq!(positions, [Some(Position(0)), None, Some(Position(1))]);
        let before = files::read(&writer.directory.pending()).unwrap();
        let alone = writer.append(vec![(actor, large)]).unwrap();
        assert!(matches!(alone.as_slice(), [Err(AuditError::TooLarge { .. })]));
        assert_eq!(files::read(&writer.directory.pending()).unwrap(), before);
    }

    #[test]
    fn the_largest_entry_fits() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(directory.path());
        let (actor, _) = event();
        let with = |length| {
            (
                actor.clone(),
                Event::ServerStopped {
                    reason: "x".repeat(length),
                },
            )
        };
        let frame = entry::shape(0, actor.clone(), with(0).1).unwrap().len();
        // The time's fraction of a second may be written with fewer digits.
        let results = writer.append(vec![with(LARGEST_ENTRY - frame - 4)]).unwrap();
        assert!(matches!(results.as_slice(), [Ok(Position(0))]), "{results:?}");
        writer.integrate().unwrap();
    }
}
