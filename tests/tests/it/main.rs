//! The main job, end to end, through the real program: data in, SQL in jailed sessions, checked answers out, reviewed
//! releases; and what happens when someone kills, lies, or cannot type.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod clinic;
mod peers;

mod ledger;
mod projects;
mod rewrites;
mod story;

mod clients;
mod sessions;
mod starts;

mod crash;
mod log_failure;
mod verifier;

mod malformed;
mod words;

mod corpus;
mod smuggling;
