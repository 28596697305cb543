//! The mains of the two workers of a session: `tre-query`'s halves inside `sandbox-runner`'s jail.
//!
//! Each is one loop: a frame in, one message handled, a frame out. A worker has no authority and no memory that
//! matters: the server may kill it at any moment and start another. It ends when its channel does.
//!
//! Nothing that a worker says is believed for what it says: the server judges the algebra that a desk sends, compares
//! the lineage that a data worker computed with its own, and checks evidence for contradictions.

mod data;
mod desk;
mod serve;

pub use data::data_main;
pub use desk::desk_main;
