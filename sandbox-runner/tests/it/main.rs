//! The jail, attacked: every attack is shown to fail inside and, where that harms nobody, to succeed outside.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod harness;

mod files;
mod frames;
mod host;
mod lifetime;
mod network;
mod ordinary_user;
mod privileges;
mod processes;
mod resources;
mod startup;
