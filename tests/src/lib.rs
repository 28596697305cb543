//! What the end-to-end tests stand on: homes in temporary directories, servers, people with tokens, and the program
//! `tre` run as a person would run it. Nothing here knows how the program works inside.
//!
//! - [`program`] finds `tre` (environment variable `TRE_BIN`, else beside the test executable) and runs it. A missing
//!   program is an error that names the command which builds it; nothing is ever skipped.
//! - [`home`] is a deployment with its holder's files; [`server`] is `tre serve` on a free port, and [`person`] somebody
//!   with a token who calls it.
//! - [`scenes`] are specs, permits and data: the Eunomia extract, and a clinic so small that hundreds of runs are quick.
//! - [`ward`] is a clinic with a victim who can be left out, [`holder`] a large dataset, [`honest`] the questions that
//!   researchers ask of it, and [`plain`] an engine that checks nothing, to compare with.
//! - [`log`], [`store`] and [`snapshot`] look at what a home holds, from outside.
//! - [`processes`] sees the desks and data workers of a machine; [`wait`] waits for conditions, always with a deadline.
//!
//! Every process that is started here is killed when its value is dropped.

pub mod program;
pub mod wait;

pub mod home;
pub mod person;
pub mod scenes;
pub mod server;

pub mod plain;

pub mod holder;
pub mod honest;
pub mod ward;

pub mod log;
pub mod processes;
pub mod snapshot;
pub mod store;
