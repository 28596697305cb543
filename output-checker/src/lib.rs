//! The checker: base cells and their evidence in, treated cells and a decision out.
//!
//! One pure function stands between people's data and everybody else, [`check()`]. It reads what the data worker
//! computed ([`BaseCells`](tre_core::evidence::BaseCells)), what is known of the question from its plan alone
//! ([`lineage`]), and a policy ([`tre_core::policy`]), and it returns [`TreatedCells`], which nothing else can make.
//! Whatever an analyst ever sees of people is a function of treated cells and of public data.
//!
//! The path of the data, which the modules follow:
//!
//! ```text
//! algebra ─▶ lineage ─┬▶ question: what the plan alone decides ─▶ rewrites: what to ask instead
//! base cells ─────────┴▶ groups: canonical order, declared domains completed
//!                          ▶ rules: evidence only, a verdict per group and argument
//!                            ▶ treatments: digits ▸ suppress ▸ noise ▸ round
//!                              ▶ levels: cells of one query that add up to others
//!                              ▶ treated cells, decision, reasons
//!                                ▶ ledger: compared with all that has left ─▶ SDC record, bound to the output's bytes
//! ```
//!
//! # What is kept, and why it holds
//!
//! *Remove one person from the data, or change their values: whatever differs in the treated cells lies in a row that
//! has enough people, that person among them.* Five things carry it:
//!
//! 1. **Verdicts come from evidence**, and one verdict holds for all values of one argument: from `sum(x)` and `count(x)`
//!    an average follows, so what suppresses the count suppresses the sum; `count(*)` and `count(distinct pid)` are
//!    shown or suppressed together. Only what concerns contributions, `dominance` and `degrees-of-freedom`, suppresses
//!    the sum alone.
//! 2. **A verdict does not say more than the policy says.** A value of too few people carries the one code `threshold`,
//!    whatever other rule it also breaks, and so does a value of nobody that is not shown. All other words are told only
//!    of values that have enough people.
//! 3. **The set of rows says nothing.** Declared domains are completed, and a completed row goes through the same code
//!    as a counted one. Rows of other labels exist only when enough people are in them and something may be shown; a
//!    notice that rare groups are left out stands over every such answer, whether or not one was.
//! 4. **The order of rows says nothing**: it is that of the keys.
//! 5. **Treatments are functions of one value, who is behind it, a key and the policy.** A value that rounding or noise
//!    covers is marked so, even when it stayed as it was. Only rounding that keeps sums reads more: the other values of
//!    its column that are shown, and those never tell who is in which.
//!
//! Where a policy shows zeros, it draws a line between nobody and somebody by its own wish: there, and only there, a
//! value may turn from 0 to suppressed with a single person. The property tests know this exception and no other.
//!
//! # What is not here
//!
//! No I/O, no clock, no randomness (what is [drawn](DrawKey) is a function of a key that comes in), no SQL, no DataFusion. Pairs of values of one row are judged, sums and differences
//! of three or more are not, nor are other rows. Earlier answers are compared in a step of its own ([`ledger`]), since they
//! are an argument of it that changes with every answer.

pub mod catalogue;
pub mod lineage;

mod question;
pub mod rewrites;

mod draws;

mod check;
mod groups;
mod levels;

mod rules;
mod treatments;

mod decision;
pub mod reasons;
mod summary;
mod treated;

pub mod ledger;

pub mod record;

pub mod conformance;

pub use check::{Checked, check, notices};
pub use decision::Decision;
pub use draws::{DrawKey, LetOut};
pub use levels::{Asked, check_together};
pub use question::judge_question;
pub use summary::{StatusCount, Summary, ValueSummary};
pub use treated::TreatedCells;
