//! The rows of a home's database. Python reads it: an SQLite that is not the program's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::program::start;
use crate::wait::PATIENCE;

const DUMP: &str = include_str!("../store/dump.py");

/// Every table with its rows, each an object by column.
#[derive(Debug, Clone, PartialEq)]
pub struct Store(pub BTreeMap<String, Vec<Value>>);

impl Store {
    /// Reads a copy of the database of a home, with what stands in its write-ahead log. The home must be at rest.
    pub fn read(home: &Path) -> Result<Store> {
        let copy = tempfile::tempdir()?;
        for entry in fs::read_dir(home.join("store"))? {
            let entry = entry?;
            fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
        }
        let mut python = Command::new("python3");
        python
            .args(["-c", DUMP])
            .arg(copy.path().join("tre.sqlite"))
            .stdin(Stdio::null());
        let dump = start(&mut python)
            .context("cannot run python3")?
            .wait(PATIENCE)?
            .ok()?;
        serde_json::from_value(dump.json()?)
            .map(Store)
            .context("the dump has another shape")
    }

    /// The rows of a table; none if there is no such table.
    pub fn rows(&self, table: &str) -> &[Value] {
        self.0.get(table).map(Vec::as_slice).unwrap_or_default()
    }

    /// The text in a column of every row of a table; NULL is left out.
    pub fn texts(&self, table: &str, column: &str) -> Vec<String> {
        let cell = |row: &Value| row.get(column).and_then(Value::as_str).map(str::to_owned);
        self.rows(table).iter().filter_map(cell).collect()
    }
}
