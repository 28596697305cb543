//! output-checker.
