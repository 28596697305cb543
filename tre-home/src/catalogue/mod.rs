//! The catalogue: which versions of which datasets were published, and how one is.
//!
//! A version is a directory with its manifest and its encrypted files. It is made in staging and appears under its
//! name by one rename, whole. After that nobody writes to it.

mod staging;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use tre_core::codes::{HOME_NO_DATASET, HOME_VERSION, Problem};
use tre_core::ids::{DatasetName, VersionId};
use tre_core::manifest::{FileManifest, Manifest, TableManifest};

pub(crate) use staging::clean;
pub use staging::{Ready, Staged, Staging};

use crate::files::{self, FileError};
use crate::layout::{Layout, MANIFEST, REJECTS};
use crate::registry::UNIT_RANGES;
use crate::vault::Sha256;

/// Why the catalogue did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Nothing of this name was published.
    #[error("there is no dataset or version `{0}`")]
    Unknown(String),
    /// A version is not as its manifest says.
    #[error("the version `{version}` is damaged: {what}")]
    Damaged {
        /// Which.
        version: VersionId,
        /// What does not agree.
        what: String,
    },
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Problem {
        match error {
            CatalogueError::Unknown(_) => Problem::of(&HOME_NO_DATASET, error.to_string()),
            CatalogueError::Damaged { .. } => Problem::of(&HOME_VERSION, error.to_string()),
            CatalogueError::File(error) => error.into(),
        }
    }
}

/// The published versions of a home.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue<'h> {
    pub(crate) layout: &'h Layout,
}

impl Catalogue<'_> {
    /// Names of all datasets with a version, in order.
    pub fn datasets(&self) -> Result<Vec<DatasetName>, CatalogueError> {
        let names = files::list(&self.layout.datasets())?;
        let mut datasets = Vec::new();
        for name in names
            .into_iter()
            .filter_map(|(name, is_dir)| is_dir.then(|| name.parse().ok()).flatten())
        {
            if !self.versions(&name)?.is_empty() {
                datasets.push(name);
            }
        }
        Ok(datasets)
    }

    /// Ids of a dataset's versions, in the order of their names; none for an unknown dataset.
    pub fn versions(&self, dataset: &DatasetName) -> Result<Vec<VersionId>, CatalogueError> {
        let names = files::list(&self.layout.dataset(dataset))?;
        Ok(names
            .into_iter()
            .filter_map(|(suffix, _)| format!("{dataset}@{suffix}").parse().ok())
            .collect())
    }

    /// A version's manifest, after a look whether it is complete: it names this version, tables have the files that they must
    /// have, and all files are there with their sizes. See [`Catalogue::verify`] for their content.
    pub fn load(&self, version: &VersionId) -> Result<Manifest, CatalogueError> {
        let directory = self.layout.version(version);
        let text = match files::read(&directory.join(MANIFEST)) {
            Err(error) if error.is_missing() && !directory.exists() => {
                return Err(CatalogueError::Unknown(version.to_string()));
            }
            text => text?,
        };
        let damaged = |what: String| CatalogueError::Damaged {
            version: version.clone(),
            what,
        };
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| damaged(format!("`{MANIFEST}`: {error}")))?;
        if &manifest.version != version {
            return Err(damaged(format!("`{MANIFEST}` describes `{}`", manifest.version)));
        }
        complete(&manifest, &directory).map_err(damaged)?;
        Ok(manifest)
    }

    /// The version of a dataset that was published last.
    pub fn newest(&self, dataset: &DatasetName) -> Result<Manifest, CatalogueError> {
        let mut newest: Option<Manifest> = None;
        for version in self.versions(dataset)? {
            let manifest = self.load(&version)?;
            if newest
                .as_ref()
                .is_none_or(|n| (n.created, &n.version) < (manifest.created, &manifest.version))
            {
                newest = Some(manifest);
            }
        }
        newest.ok_or_else(|| CatalogueError::Unknown(dataset.to_string()))
    }

    /// Reads a version's files through and compares their hashes. Returns what does not agree, nothing if all does.
    pub fn verify(&self, version: &VersionId) -> Result<Vec<String>, CatalogueError> {
        let manifest = match self.load(version) {
            Err(CatalogueError::Damaged { what, .. }) => return Ok(vec![what]),
            manifest => manifest?,
        };
        let directory = self.layout.version(version);
        let mut faults = Vec::new();
        for file in manifest.tables.iter().flat_map(|table| &table.files) {
            if hash(directory.join(&file.name))? != file.sha256 {
                faults.push(format!("`{}` was altered", file.name));
            }
        }
        let known: BTreeSet<&str> = manifest
            .tables
            .iter()
            .flat_map(file_names)
            .chain([MANIFEST, REJECTS])
            .collect();
        for (name, _) in files::list(&directory)? {
            if !known.contains(name.as_str()) {
                faults.push(format!("`{name}` does not belong to it"));
            }
        }
        Ok(faults)
    }

    /// Opens one of a version's files for reading, to be handed to a worker.
    pub fn open_file(&self, version: &VersionId, file: &FileManifest) -> Result<File, CatalogueError> {
        let path = self.layout.version(version).join(&file.name);
        Ok(File::open(&path).map_err(FileError::on("open", &path))?)
    }
}

fn file_names(table: &TableManifest) -> impl Iterator<Item = &str> {
    table.files.iter().map(|file| file.name.as_str())
}

/// Name of a table's file for one unit range; public tables have range 0 only.
pub fn data_file_name(table: &tre_core::ids::TableName, range: usize) -> String {
    format!("{table}-{range:02}.parquet")
}

/// What is wrong with a manifest, given the directory of its files.
fn complete(manifest: &Manifest, directory: &std::path::Path) -> Result<(), String> {
    let cuts = &manifest.cuts;
    if cuts.len() != UNIT_RANGES || cuts.first() != Some(&0) || !cuts.is_sorted_by(|a, b| a < b) {
        return Err(format!(
            "the cut points are not {UNIT_RANGES} ascending numbers from 0"
        ));
    }
    let mut tables = BTreeSet::new();
    for table in &manifest.tables {
        if !tables.insert(&table.name) {
            return Err(format!("the table `{}` is there twice", table.name));
        }
        let ranges = if table.public { 1 } else { UNIT_RANGES };
        let expected = (0..ranges).map(|range| data_file_name(&table.name, range));
        if !expected.eq(table.files.iter().map(|file| file.name.clone())) {
            return Err(format!(
                "the table `{}` has not one file per unit range",
                table.name
            ));
        }
        if table
            .files
            .iter()
            .try_fold(0, |rows: u64, file| rows.checked_add(file.rows))
            != Some(table.rows)
        {
            return Err(format!("the rows of `{}` are not those of its files", table.name));
        }
        for file in &table.files {
            match fs::metadata(directory.join(&file.name)) {
                Ok(metadata) if metadata.is_file() && metadata.len() == file.bytes => {}
                Ok(metadata) => {
                    return Err(format!(
                        "`{}` has {} bytes, not {}",
                        file.name,
                        metadata.len(),
                        file.bytes
                    ));
                }
                Err(error) => return Err(format!("`{}`: {error}", file.name)),
            }
        }
    }
    Ok(())
}

/// SHA-256 of a file in lower-case hex.
fn hash(path: PathBuf) -> Result<String, FileError> {
    let mut file = File::open(&path).map_err(FileError::on("open", &path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(FileError::on("read", &path))?;
        if read == 0 {
            return Ok(data_encoding::HEXLOWER.encode(&hash.finish()));
        }
        hash.update(buffer.split_at(read).0);
    }
}

#[cfg(test)]
mod tests;
