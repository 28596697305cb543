//! tre-home.
