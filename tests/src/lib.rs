//! tre-tests.
