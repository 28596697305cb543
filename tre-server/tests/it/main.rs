//! The server from outside: who may do what, which tokens are taken, and what clients see where no worker is needed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod access;
mod control;
mod flight;
mod refusals;
mod tokens;
mod wire;
mod world;
