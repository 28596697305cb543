//! tre-query.
