//! The only crate that calls DataFusion: from SQL text to the algebra, from the algebra to base cells with evidence, and
//! from treated cells to the answer.
//!
//! Its two halves never run in the same process:
//!
//! - [`desk`] has the analyst's text and no row. It gates and plans the SQL, cuts the plan at the frontier, lowers what
//!   is below into the algebra, and later runs what is above over treated cells.
//! - [`data`] has the permitted files and no SQL. It expands the grant, runs the algebra unit range by unit range, and
//!   returns base cells with their evidence.
//!
//! What this crate does not do: judge. Lineage, rules and treatments are `output-checker`'s; keys, files and permits
//! reach the data half as values that the server sent.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine's enums grow with its versions; what is not known here is refused, which is what a wildcard says"
)]

pub mod data;
pub mod desk;
