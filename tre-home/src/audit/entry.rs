//! An event becomes the bytes that are hashed and kept.

use jiff::{Timestamp, Unit};
use tre_core::audit::{Actor, Entry, Event};

use super::AuditError;
use super::tiles::LARGEST_ENTRY;

/// Version of the program that entries name.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// An entry with its number and the present time in canonical JSON, small enough for a bundle.
pub(super) fn shape(sequence: u64, actor: Actor, event: Event) -> Result<Vec<u8>, AuditError> {
    let entry = Entry::new(sequence, now(), VERSION, actor, event);
    let bytes =
        serde_json_canonicalizer::to_vec(&entry).map_err(|error| AuditError::Failed(error.to_string()))?;
    if bytes.len() > LARGEST_ENTRY {
        return Err(AuditError::TooLarge { bytes: bytes.len() });
    }
    Ok(bytes)
}

/// To the millisecond, as OCSF counts.
#[expect(
    clippy::disallowed_methods,
    reason = "the log stamps its entries: the one clock of this crate"
)]
fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}
