//! output-checker.
pub mod lineage;
