//! permit.
