//! tre-core.
