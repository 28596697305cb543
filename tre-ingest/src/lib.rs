//! The holder's side: files in, an encrypted dataset version out.
//!
//! ```text
//! spec ▸ files ▸ cells ▸ values: parsed, clamped, generalised, linkage keys for units and entities ▸ encoded rows
//!      ▸ sorted by unit and all columns (encrypted runs on disk) ▸ version id ▸ dense numbers ▸ Parquet per unit range
//!      ▸ audit entry ▸ numbers in force ▸ published
//! ```
//!
//! Three passes. **Reading**: every row of the holder's files becomes a byte string (see `row`) or a reject; identifiers
//! become linkage keys here and exist nowhere afterwards. **Hashing**: sorted rows give the version id, so that an
//! unchanged dataset is found before anything is written. **Writing**: units get their numbers, and rows go to one
//! encrypted Parquet file per unit range, sorted by unit, a unit in one file only.
//!
//! Memory is bounded by [`Options::memory`], whatever the size of the files; only the set of entities (at most four
//! million of a kind) and the rejects that the spec allows (at most a million) are held besides.
//!
//! What this crate does not do: keep keys or numbers (tre-home's vault and registry), decide what may be asked of the
//! data, link records by anything but an identifier, print.

mod failpoint;
mod progress;
mod reason;
mod report;

mod ingest;

mod source;

mod canon;
mod link;
mod values;

mod read;
mod rejects;

mod row;
mod sort;

mod digest;
mod number;
mod write;

pub use failpoint::FAILPOINTS;
pub use ingest::{Options, ingest};
pub use progress::{Cancel, Observer, Phase, Progress};
pub use reason::Reason;
pub use report::{
    ColumnDoubt, Failure, Outcome, RejectCount, RejectPlace, RejectReport, Report, SHOWN_REJECTS,
    TableReport, report_json_schema,
};

use tre_core::codes::{self, Problem};

/// The operating system refused something while the ingest wrote.
pub(crate) fn storage(action: &str, error: &std::io::Error) -> Problem {
    Problem::of(&codes::ING_STORAGE, format!("cannot {action}: {error}"))
}
