//! The two halves of tre-query against each other and against plain DataFusion.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod cells;
mod fixture;
mod people;
mod queries;
mod refusals;
mod rewrites;
mod sets;
mod shapes;
mod soundness;
mod values;
