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
mod insight;
mod ledger;
mod prepare;
mod run;

use output_checker::rewrites::Rewrite;
use tre_core::codes::Problem;
use tre_proto::v1;

pub(crate) use freeze::{Frozen, freeze};
pub(crate) use insight::{Insight, Trial};
pub(crate) use prepare::{Prepared, prepare};
pub(crate) use run::{Answer, answer, check};

/// Why there is no answer, and what to ask instead where something is known.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// Before any data were read: unsupported, forbidden, not well-formed.
    Refused(Vec<Problem>, Vec<Rewrite>),
    /// A person must decide.
    Referred(Vec<Problem>, Vec<Rewrite>),
    /// By policy, or because checker, ledger or log failed.
    Withheld(Vec<Problem>, Vec<Rewrite>),
    /// The query could not be run.
    Failed(Problem),
}

/// Anything that fails inside withholds: promise 9.
pub(super) fn withheld(problem: Problem) -> Refusal {
    Refusal::Withheld(vec![problem], vec![])
}

/// A question that cannot be asked.
pub(super) fn refused(problem: Problem) -> Refusal {
    Refusal::Refused(vec![problem], vec![])
}

/// A rewrite as control messages have it.
pub(crate) fn message(rewrite: Rewrite) -> v1::Rewrite {
    v1::Rewrite {
        what: rewrite.what,
        replace: rewrite.replace,
        by: rewrite.by,
        add: rewrite.add,
        against: rewrite.against.iter().map(ToString::to_string).collect(),
    }
}

impl Refusal {
    /// The same, with what to ask instead.
    pub(super) fn with(self, rewrites: Vec<Rewrite>) -> Refusal {
        match self {
            Refusal::Refused(problems, _) => Refusal::Refused(problems, rewrites),
            Refusal::Referred(problems, _) => Refusal::Referred(problems, rewrites),
            Refusal::Withheld(problems, _) => Refusal::Withheld(problems, rewrites),
            Refusal::Failed(problem) => Refusal::Failed(problem),
        }
    }
}
