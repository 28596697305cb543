//! tre-worker.
