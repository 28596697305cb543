//! The checker from outside: laws over random worlds against brute force, outcomes of the shipped policies, the record.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod contradictions;
mod laws;
mod outcomes;
mod record;
mod size;
mod world;
