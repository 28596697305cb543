//! tre-benches.
