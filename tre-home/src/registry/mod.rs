//! The unit registry: which linkage key has which dense number, per population, for units and for each kind of entity.
//!
//! It is the only way back from data to identifiers, so it lives in the vault and is sealed. It is read and written in
//! the order of linkage keys with a record in memory at a time, so that 10^8 units need no more memory than ten.
//!
//! Numbering: linkage keys that are new in an ingest are numbered in their own order from the next free number on. The
//! order of the holder's files therefore has no influence on numbers, and repeating an ingest that crashed gives the
//! same ones. A number once given is never given again.
//!
//! An [`Assignment`] is written beside the current file; [`Numbered::commit`] puts it in place. Numbers that were committed
//! for a version that was then not published stay reserved, which harms nobody.

mod file;

use std::fs;
use std::path::PathBuf;

use tre_core::codes::{HOME_REGISTRY, Problem};
use tre_core::ids::{EntityKind, PopulationName};

use crate::failpoint::{REGISTRY_RENAME, REGISTRY_WRITE};
use crate::files::{self, FileError, PRIVATE_DIR, UNFINISHED};
use crate::layout::Layout;
use crate::vault::{Link, Vault, VaultError};
use file::{Header, Record, RecordReader, RecordWriter};

/// Unit ranges of a population: every private table of its datasets has one file per range.
pub const UNIT_RANGES: usize = 16;

/// The largest number is never given, so that "one more" is always a number.
const LAST: u32 = u32::MAX - 1;

/// Why the registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A file of it was altered, cut or belongs elsewhere.
    #[error("the unit registry `{0}` is damaged")]
    Damaged(String),
    /// More units than numbers.
    #[error("the unit registry `{0}` has no numbers left")]
    Full(String),
    /// Linkage keys did not arrive in ascending order.
    #[error("linkage keys must be assigned in ascending order")]
    Order,
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// Sealing failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Problem {
        match error {
            RegistryError::File(error) => error.into(),
            RegistryError::Vault(error) => error.into(),
            RegistryError::Damaged(_) | RegistryError::Full(_) | RegistryError::Order => {
                Problem::of(&HOME_REGISTRY, error.to_string())
            }
        }
    }
}

/// All registries of a home, for the process that holds the ingest lock, see [`crate::HomeFiles::ingest`].
#[derive(Debug, Clone, Copy)]
pub struct Registry<'h> {
    pub(crate) layout: &'h Layout,
    pub(crate) vault: &'h Vault,
}

impl<'h> Registry<'h> {
    /// Begins to number units of a population (`kind` is `None`) or entities of one kind in it.
    pub fn assign(
        &self,
        population: &PopulationName,
        kind: Option<&EntityKind>,
    ) -> Result<Assignment<'h>, RegistryError> {
        let path = self.layout.registry(population, kind);
        let name = registry_name(population, kind);
        files::make_dir(files::parent(&path), PRIVATE_DIR)?;
        files::sync_dir(&self.layout.registries())?;
        let unfinished = files::unfinished(&path);
        files::remove_if_there(&unfinished)?;
        let (header, old) = file::open(self.vault, &path, &name)?;
        let writer = RecordWriter::create(self.vault, &unfinished, &name)?;
        let mut assignment = Assignment {
            vault: self.vault,
            guard: Unfinished {
                path: Some(unfinished),
            },
            path,
            name,
            units: kind.is_none(),
            next: header.next,
            header,
            old,
            head: None,
            writer,
            current: None,
        };
        assignment.advance()?;
        Ok(assignment)
    }

    /// The cut points of a population, once it has units.
    pub fn cuts(&self, population: &PopulationName) -> Result<Option<Vec<u32>>, RegistryError> {
        let (header, _) = file::open(
            self.vault,
            &self.layout.registry(population, None),
            &registry_name(population, None),
        )?;
        Ok(Some(header.cuts).filter(|cuts| !cuts.is_empty()))
    }
}

fn registry_name(population: &PopulationName, kind: Option<&EntityKind>) -> String {
    match kind {
        None => population.to_string(),
        Some(kind) => format!("{population}/{kind}"),
    }
}

/// The first cut points of a population whose units are numbered from 0 to `units` - 1: ranges as equal as can be, and
/// strictly ascending even where there are fewer units than ranges.
fn first_cuts(units: u32) -> Vec<u32> {
    let ranges = UNIT_RANGES as u64;
    (0..ranges)
        .map(|i| (i * u64::from(units) / ranges).max(i) as u32)
        .collect()
}

/// Removes a file that was begun and is not wanted, when dropped, and its directory if that is then empty.
struct Unfinished {
    path: Option<PathBuf>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // What cannot be removed now is removed by the next ingest.
            let _ = fs::remove_file(&path);
            let _ = fs::remove_dir(files::parent(&path));
        }
    }
}

/// Removes what an ingest that crashed has left.
pub(crate) fn clean(layout: &Layout) -> Result<(), FileError> {
    let registries = layout.registries();
    for (population, _) in files::list(&registries)?.iter().filter(|(_, is_dir)| *is_dir) {
        let directory = registries.join(population);
        for (name, _) in files::list(&directory)? {
            if name.ends_with(UNFINISHED) {
                files::remove_if_there(&directory.join(name))?;
            }
        }
        // Fails where numbers are, which is the point.
        let _ = fs::remove_dir(&directory);
    }
    Ok(())
}

/// Numbers being given, in the order of linkage keys.
pub struct Assignment<'h> {
    vault: &'h Vault,
    guard: Unfinished,
    path: PathBuf,
    name: String,
    units: bool,
    header: Header,
    next: u32,
    old: Option<RecordReader>,
    /// The first old record that is not written yet.
    head: Option<Record>,
    writer: RecordWriter,
    /// The last record asked for.
    current: Option<Record>,
}

impl<'h> Assignment<'h> {
    /// The number of a linkage key, new or old. Keys must arrive in ascending order; one may repeat.
    pub fn number(&mut self, link: &Link) -> Result<u32, RegistryError> {
        if let Some((last, number)) = self.current {
            if last == *link {
                return Ok(number);
            }
            if last > *link {
                return Err(RegistryError::Order);
            }
        }
        while let Some(record) = self.head.filter(|(head, _)| head < link) {
            self.write(record)?;
            self.advance()?;
        }
        let record = match self.head.filter(|(head, _)| head == link) {
            Some(record) => {
                self.advance()?;
                record
            }
            None => {
                let number = self.next;
                if number > LAST {
                    return Err(RegistryError::Full(self.name.clone()));
                }
                self.next += 1;
                (*link, number)
            }
        };
        self.write(record)?;
        self.current = Some(record);
        Ok(record.1)
    }

    /// Completes the next generation, still beside the current one, on the disk.
    pub fn finish(mut self) -> Result<Numbered<'h>, RegistryError> {
        while let Some(record) = self.head {
            self.write(record)?;
            self.advance()?;
        }
        let mut cuts = std::mem::take(&mut self.header.cuts);
        if cuts.is_empty() && self.units && self.next > 0 {
            cuts = first_cuts(self.next);
        }
        let changed = self.next != self.header.next;
        let unfinished = files::unfinished(&self.path);
        let header = REGISTRY_WRITE.run(|| {
            self.writer
                .finish(self.vault, &unfinished, &self.name, self.next, cuts)
        })?;
        Ok(Numbered {
            vault: self.vault,
            guard: self.guard,
            path: self.path,
            name: self.name,
            changed,
            header,
        })
    }

    fn advance(&mut self) -> Result<(), RegistryError> {
        self.head = match &mut self.old {
            None => None,
            Some(old) => old
                .next()
                .map_err(|_| RegistryError::Damaged(self.name.clone()))?,
        };
        Ok(())
    }

    fn write(&mut self, record: Record) -> Result<(), RegistryError> {
        let path = &self.path;
        self.writer
            .write(record)
            .map_err(|error| FileError::on("write", path)(error).into())
    }
}

/// The next generation of a registry file, complete but not yet in force. Dropped without
/// [`Numbered::commit`], it leaves nothing behind.
pub struct Numbered<'h> {
    vault: &'h Vault,
    guard: Unfinished,
    path: PathBuf,
    name: String,
    changed: bool,
    header: Header,
}

impl Numbered<'_> {
    /// The population's cut points, [`UNIT_RANGES`] of them: the kept ones, or those chosen for its first units. A
    /// population without units has none yet; for its (empty) tables any will do, and these are not kept.
    pub fn cuts(&self) -> Vec<u32> {
        if self.header.cuts.is_empty() {
            first_cuts(0)
        } else {
            self.header.cuts.clone()
        }
    }

    /// How many linkage keys have a number.
    pub fn count(&self) -> u64 {
        self.header.count
    }

    /// Whether a number was given that was not there before.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// All linkage keys with their numbers, in order; reads the file once.
    pub fn records(&self) -> Result<Records, RegistryError> {
        let (_, reader) = file::open(self.vault, &files::unfinished(&self.path), &self.name)?;
        Ok(Records {
            reader,
            name: self.name.clone(),
        })
    }

    /// Puts it in force; where nothing is new, the old file stays as it is, byte for byte.
    pub fn commit(mut self) -> Result<(), RegistryError> {
        if !self.changed {
            return Ok(());
        }
        REGISTRY_RENAME.run(|| files::rename(&files::unfinished(&self.path), &self.path))?;
        self.guard.path = None;
        Ok(())
    }
}

/// Iterator over linkage keys and numbers. After an error it is at its end.
pub struct Records {
    reader: Option<RecordReader>,
    name: String,
}

impl Iterator for Records {
    type Item = Result<(Link, u32), RegistryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.reader.as_mut()?.next();
        match record {
            Ok(Some(record)) => Some(Ok(record)),
            Ok(None) => None,
            Err(_) => {
                self.reader = None;
                Some(Err(RegistryError::Damaged(self.name.clone())))
            }
        }
    }
}

#[cfg(test)]
mod tests;
