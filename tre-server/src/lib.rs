//! The server: Flight SQL and the control service on one port, a socket in the home, sessions, requests, authorisation.
//!
//! It never parses SQL, never calls the engine and never holds a row about a person: desks and data workers do, in
//! jails of their own. It judges what they say, writes the log, and decides what leaves.
//!
//! The modules follow a call: who it is ([`identity`]) and whether they may ([`authz`]), what all services share (`core`),
//! the caller's session (`sessions`) and its two workers (`engine`), the path from SQL to an answer (`pipeline`). Around
//! them the services that clients speak to: `flight`, `control`, [`local`]; and below those `projects` and `requests`.
//!
//! An entry of the audit log precedes its effect, everywhere; where it cannot be written nothing is served.

pub mod authz;
pub mod identity;

mod core;
mod fault;

mod engine;
mod sessions;

mod ledger;
mod pipeline;

mod projects;
mod requests;

mod control;
mod flight;
pub mod local;

mod serve;

pub use serve::{Options, Server, serve};
