//! Ingests through the crate's one function, into real homes; what was stored is read back with the files' own keys.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

mod content;
mod crash;
mod eunomia;
mod identity;
mod limits;
mod refusals;
