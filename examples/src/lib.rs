//! tre-examples.
