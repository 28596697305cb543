//! Data that a newcomer can use: the Eunomia extract as it lies in this directory, and a generator of claims of any
//! size.
//!
//! [`eunomia`] embeds the files of `eunomia/`, so that the demonstration and the tests need no path. [`claims`] makes
//! tables that look like Japan's claims database (NDB) without a person in them, from a seed: the same seed and size give
//! the same bytes on every machine.
//!
//! What this crate does not do: it knows nothing of the rest of the system. It writes what a data holder would hand in.

pub mod eunomia;

pub mod claims;
