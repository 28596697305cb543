//! The domain of the Trusted Research Environment: the words of the system as types.
//!
//! Everything here is pure. No file is opened, no clock is read, no random number is drawn: time, randomness and
//! history come in as arguments, and what happened goes out as values. Text from outside (a spec, a permit, a
//! policy, a protobuf algebra) is parsed once, at the edge, into types whose invalid states cannot be written down;
//! later code does not check again.
//!
//! What this crate does not know: SQL, DataFusion, files, sockets, keys.
//!
//! The modules follow the path of the data: ids and quantities, then what a holder hands in ([`spec`], [`manifest`]),
//! who may use it ([`permit`], [`grant`]), what is asked ([`algebra`]), what the checker sees ([`evidence`],
//! [`policy`], [`status`]), what people decide ([`request`]) and what is remembered ([`ledger`], [`audit`]).

pub mod ids;
pub mod size;
pub mod types;

pub mod manifest;
pub mod spec;

pub mod grant;
pub mod permit;

pub mod algebra;

pub mod evidence;
pub mod policy;
pub mod sketch;
pub mod status;

pub mod audit;
pub mod ledger;
pub mod request;

pub mod codes;
pub mod toml_words;
