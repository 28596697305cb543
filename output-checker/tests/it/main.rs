//! The checker from outside: laws over random worlds against brute force, outcomes of the shipped policies, the record.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests fail by panicking"
)]

mod adding_up;
mod asked;
mod catalogue;
mod conformance;
mod contradictions;
mod draws;
mod laws;
mod laws_of_lines;
mod laws_of_rows;
mod laws_of_sums;
mod ledger;
mod levels;
mod outcomes;
mod parameters;
mod people;
mod record;
mod rules_off;
mod sets;
mod size;
mod story;
mod world;
