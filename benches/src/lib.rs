//! What being checked costs: the same claims, the same SQL, once through the raw engine and once through ours.
//!
//! `cargo bench -p tre-benches` generates claims, ingests them, and prints two tables: rows per second of the ingest
//! beside a plain conversion of the same CSV files, and for twelve aggregate queries the time of raw DataFusion beside
//! that of a checked answer, with their ratio and peak memory, and what misses its target. Both sides run in one process
//! on one machine in turn, so that a ratio means something where a time does not.
//!
//! What a checked answer is here: the desk plans, the engine computes base cells with evidence from encrypted files,
//! the checker judges and treats, the desk finishes. What is left out: processes, jails, channels and the log.
//!
//! What the raw engine gets: the same stored rows in the same files and row groups with the same compression, not
//! encrypted, DataFusion's own settings and as many threads.
//!
//! - [`workload`] makes the data, and answers on both sides;
//! - [`measure`] times, prints, and judges.
//!
//! Nothing here asserts a time: a missed target is told. That both sides compute the same values is a test, and is checked again before anything
//! is timed.

pub mod workload;

pub mod measure;
