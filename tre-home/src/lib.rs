//! The home directory of a deployment: everything that outlives a process.
//!
//! A [`Home`] is a directory that `tre init` made and one process at a time holds. This crate knows where things lie in
//! it and how each survives a crash; it decides nothing about people or data.
//!
//! | part | holds | promise |
//! |---|---|---|
//! | [`config`] | `tre.toml` | what is not understood is refused |
//! | [`vault`] | keys | keys leave as typed handouts only; what is sealed cannot be altered, cut or exchanged |
//! | [`registry`] | linkage keys and their dense numbers | deterministic, sealed, bounded memory |
//! | [`catalogue`] | dataset versions | a version is there whole or not at all, and never changes |
//! | [`store`] | projects, tokens, requests, releases | changes of state compare and set; what is destroyed is overwritten |
//! | [`audit`] | the log of everything | an entry is durable before its effect; any alteration is found |
//!
//! What this crate does not do: parse SQL, permits or policies, read rows, talk over sockets, decide who may do what.
//!
//! Durable steps run between [`failpoint`]s, at each of which the tests end the process and open the home again.

pub mod failpoint;
pub mod files;
pub mod layout;

pub mod config;
pub mod lock;
pub mod vault;

pub mod catalogue;
pub mod registry;

pub mod store;

pub mod audit;

mod home;
mod init;
#[cfg(test)]
mod scratch;

pub use home::{Home, HomeFiles, Ingest, OpenError};
pub use init::{InitError, InitOptions};
