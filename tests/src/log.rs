//! The audit log as `tre audit export` prints it from its directory.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::program::Tre;

/// All entries of a home's log, oldest first.
pub fn entries(tre: &Tre, home: &Path) -> Result<Vec<Value>> {
    let directory = home.join("audit");
    let directory = directory.to_str().context("a path that is no text")?;
    parsed(&tre.run(&["audit", "export", "--log", directory])?.ok()?.out)
}

/// Entries as they are printed, one a line.
pub fn parsed(printed: &str) -> Result<Vec<Value>> {
    let lines = printed.lines();
    lines
        .map(|line| serde_json::from_str(line).with_context(|| format!("an entry is not JSON: {line}")))
        .collect()
}

/// What happened, by its name, e.g. `query_answered`.
pub fn event(entry: &Value) -> &str {
    text(entry, "event")
}

/// A field of what happened.
pub fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry
        .pointer(&format!("/tre/what/{field}"))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Positions of events of a name.
pub fn positions(entries: &[Value], name: &str) -> Vec<usize> {
    entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| event(entry) == name)
        .map(|(at, _)| at)
        .collect()
}

/// Insists that entries are numbered in order and that each names who did what and when.
pub fn is_well_formed(entries: &[Value]) -> Result<()> {
    for (at, entry) in entries.iter().enumerate() {
        let sequence = entry.pointer("/metadata/sequence").and_then(Value::as_u64);
        ensure!(
            sequence == u64::try_from(at).ok(),
            "entry {at} says that it is {sequence:?}"
        );
        let who = entry
            .pointer("/tre/actor/user")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let when = entry.pointer("/time").and_then(Value::as_i64).unwrap_or_default();
        ensure!(
            !event(entry).is_empty() && !who.is_empty() && when > 0,
            "entry {at} is incomplete: {entry}"
        );
    }
    Ok(())
}
