//! The `[limits]` of a permit file.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Limits;
use crate::codes::{self, Problem};

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

/// Limits from the file; what it leaves out is [`Limits::DEFAULT`].
///
/// # Errors
/// `TRE-PRJ-007` for a limit out of its bounds.
pub(super) fn read(file: &LimitsFile) -> Result<Limits, Problem> {
    let mut limits = Limits::DEFAULT;
    if let Some(text) = &file.memory {
        let shown: String = text.chars().take(40).collect();
        limits.memory = bytes(text)
            .filter(|bytes| MEMORY.contains(bytes))
            .ok_or_else(|| {
                Problem::new(
                    &codes::PRJ_LIMITS,
                    format!("limits.memory: `{shown}` is no size"),
                    "write 64 MiB to 1 TiB, e.g. `2 GiB`",
                )
            })?;
    }
    if let Some(seconds) = file.query_seconds {
        if !QUERY_SECONDS.contains(&seconds) {
            let what = format!("limits.query_seconds cannot be {seconds}");
            return Err(Problem::new(&codes::PRJ_LIMITS, what, "write 1 to 86400"));
        }
        limits.query_seconds = seconds;
    }
    if let Some(sessions) = file.sessions {
        if !SESSIONS.contains(&sessions) {
            return Err(Problem::new(
                &codes::PRJ_LIMITS,
                format!("limits.sessions cannot be {sessions}"),
                "write 1 to 64",
            ));
        }
        limits.sessions = sessions;
    }
    Ok(limits)
}

/// `2 GiB`: a whole number and a unit of powers of 1024, with or without a space.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let shift = match unit.trim_start() {
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}
