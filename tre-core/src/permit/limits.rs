//! The `[limits]` of a permit file, and the bounds of every limit.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Limits, NamedLimits};
use crate::codes::{self, Problem};
use crate::size::ByteSize;

const MEMORY: std::ops::RangeInclusive<u64> = (64 << 20)..=(1 << 40);
const QUERY_SECONDS: std::ops::RangeInclusive<u32> = 1..=86_400;
const SESSIONS: std::ops::RangeInclusive<u8> = 1..=64;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsFile {
    /// Of one session's engine, e.g. `2 GiB`.
    memory: Option<String>,
    /// Of one query.
    query_seconds: Option<u32>,
    /// At once, of all people of the project together.
    sessions: Option<u8>,
}

/// The limits that the file names.
///
/// # Errors
/// `TRE-PRJ-007` for a limit out of its bounds.
pub(super) fn read(file: &LimitsFile) -> Result<NamedLimits, Problem> {
    let memory = file.memory.as_deref().map(size).transpose()?;
    Ok(NamedLimits {
        memory,
        query_seconds: file.query_seconds.map(query_seconds).transpose()?,
        sessions: file.sessions.map(sessions).transpose()?,
    })
}

impl Limits {
    /// Whether each limit is within its bounds, wherever it was written.
    ///
    /// # Errors
    /// `TRE-PRJ-007` naming the first that is not.
    pub fn check(&self) -> Result<(), Problem> {
        let shown = ByteSize::bytes(self.memory).to_string();
        memory(self.memory, &shown)?;
        query_seconds(self.query_seconds)?;
        sessions(self.sessions).map(|_| ())
    }
}

fn size(text: &str) -> Result<u64, Problem> {
    let shown: String = text.chars().take(40).collect();
    // What is no size at all is out of bounds too.
    let bytes = text.parse::<ByteSize>().map_or(0, ByteSize::get);
    memory(bytes, &shown)
}

fn memory(bytes: u64, shown: &str) -> Result<u64, Problem> {
    if MEMORY.contains(&bytes) {
        return Ok(bytes);
    }
    Err(Problem::new(
        &codes::PRJ_LIMITS,
        format!("limits.memory cannot be `{shown}`"),
        "write 64 MiB to 1 TiB, e.g. `2 GiB`",
    ))
}

fn query_seconds(seconds: u32) -> Result<u32, Problem> {
    if QUERY_SECONDS.contains(&seconds) {
        return Ok(seconds);
    }
    let what = format!("limits.query_seconds cannot be {seconds}");
    Err(Problem::new(&codes::PRJ_LIMITS, what, "write 1 to 86400"))
}

fn sessions(sessions: u8) -> Result<u8, Problem> {
    if SESSIONS.contains(&sessions) {
        return Ok(sessions);
    }
    let what = format!("limits.sessions cannot be {sessions}");
    Err(Problem::new(&codes::PRJ_LIMITS, what, "write 1 to 64"))
}
