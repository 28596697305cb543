//! The two workers of a session, as the server talks to them: jailed processes behind a channel.
//!
//! Everything here blocks and runs on blocking threads. A worker is expendable: one that breaks its protocol, dies or takes
//! too long is killed, and the next query starts another. What a worker says about *why* something failed goes to the
//! operator's log; the analyst hears constants. Only a desk's refusals of SQL reach the analyst in words, since a desk
//! never had a row.

mod cancel;
mod data;
mod desk;
mod jail;

pub(crate) use cancel::{Cancel, CancelOnDrop, cancelled};
pub(crate) use data::{Data, DataError};
pub(crate) use desk::{Desk, DeskError, Planned};
pub(crate) use jail::{Jails, Lost};
