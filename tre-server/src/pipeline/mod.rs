//! The main path: from SQL text to an answer that may leave.
//!
//! ```text
//! prepare: desk plans ▸ lineage of every frontier ▸ entry ─▶ Prepared
//! answer:  may it be asked ▸ data worker ▸ lineage again, compared ▸ evidence read ▸ check ▸ decision
//!            ▸ ledger: compared with what has left, appended ▸ desk finishes over treated cells ▸ entry ─▶ bytes
//! ```
//!
//! Every way out of these functions is an entry of the log: refused, referred, withheld, failed, or answered, the last
//! before a byte is handed over. What a data worker says of a failure goes to the log, never to the analyst.

mod csv;
mod freeze;
mod ledger;
mod prepare;
mod run;

use tre_core::codes::Problem;

pub(crate) use freeze::{Frozen, freeze};
pub(crate) use prepare::{Prepared, prepare};
pub(crate) use run::{Answer, answer, check};

/// Why there is no answer.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// Before any data were read: unsupported, forbidden, not well-formed.
    Refused(Vec<Problem>),
    /// A person must decide.
    Referred(Vec<Problem>),
    /// By policy, or because checker, ledger or log failed.
    Withheld(Vec<Problem>),
    /// The query could not be run.
    Failed(Problem),
}

/// Anything that fails inside withholds: promise 9.
pub(super) fn withheld(problem: Problem) -> Refusal {
    Refusal::Withheld(vec![problem])
}
