//! The socket in the home: what a process on the same machine asks of a running server.
//!
//! Authority is access to the socket, which only the home's owner has; everything is logged as `local:<os user>`, the user
//! being the one that the kernel names for the other end. What can be asked is little: tokens, and entries of an ingest. The
//! `tre` command does the same by [`issue`] and [`revoke`] when no server runs and the home's lock is its own.

mod calls;
mod peer;
mod socket;
mod tokens;

pub use tokens::{Issued, issue, revoke};

pub(crate) use socket::Socket;
