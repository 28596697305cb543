//! tre-server.
