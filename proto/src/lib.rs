//! tre-proto.
