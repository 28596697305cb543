//! tre-ingest.
