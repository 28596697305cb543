//! Everything that a home keeps, so that two moments can be compared: every file by its hash, the database by its rows.
//! The log (which grows) and what lives as long as a process are left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;
use tre_home::vault::sha256_hex;

use crate::store::Store;

/// What a home holds at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Path in the home and SHA-256; of a directory the word `directory`.
    pub files: BTreeMap<String, String>,
    /// The database.
    pub store: Store,
}

impl Snapshot {
    /// Looks at a home that is at rest.
    pub fn of(home: &Path) -> Result<Snapshot> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(home)? {
            let entry = entry?;
            let name = entry.file_name();
            if !["audit", "run", "store"].iter().any(|left_out| name == *left_out) {
                add(&entry.path(), home, &mut files)?;
            }
        }
        Ok(Snapshot {
            files,
            store: Store::read(home)?,
        })
    }

    /// Insists that nothing differs, and names the first thing that does.
    pub fn is_same_as(&self, other: &Snapshot) -> Result<()> {
        let names = self.files.keys().chain(other.files.keys());
        for name in names {
            ensure!(
                self.files.get(name) == other.files.get(name),
                "`{name}` has changed, appeared or vanished"
            );
        }
        let tables = self.store.0.keys().chain(other.store.0.keys());
        for table in tables {
            let (here, there): (&[Value], &[Value]) = (self.store.rows(table), other.store.rows(table));
            let differs = here
                .iter()
                .find(|row| !there.contains(row))
                .or(there.iter().find(|row| !here.contains(row)));
            ensure!(here == there, "the table `{table}` has changed: {differs:?}");
        }
        Ok(())
    }
}

fn add(path: &Path, home: &Path, files: &mut BTreeMap<String, String>) -> Result<()> {
    let name = path.strip_prefix(home)?.display().to_string();
    if path.is_dir() {
        files.insert(name, "directory".to_owned());
        for entry in fs::read_dir(path)? {
            add(&entry?.path(), home, files)?;
        }
    } else {
        files.insert(name, sha256_hex(&fs::read(path)?));
    }
    Ok(())
}
