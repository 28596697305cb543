//! Tests of the home through its public interface, with real files, real processes and real crashes.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests fail by panicking; children talk to their parents by printing"
)]

mod alterations;
mod crash;
mod init;
mod ledger;
mod live_log;
mod scene;
mod store;
