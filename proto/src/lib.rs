//! The wire: generated messages and services of the project's protobuf packages, and their conversions.
//!
//! - [`v1`] (`tre.v1`) is what the `tre` command says to a server: the control service beside Flight SQL on the same port,
//!   and the local service on the socket in the home.
//! - [`worker`] (`tre.worker.v1`) is what a server says to the two jailed workers of a session: one frame of the worker's
//!   channel is one message.
//!
//! Batches of cells and rows travel inside of these messages as [`batches`] says, plans as [`algebra`] does.
//!
//! This crate holds no rule and no state. Every number, text and limit that arrives is judged by the crate that receives
//! it; a generated type promises nothing but its shape.

pub mod algebra;
pub mod batches;

/// Control service and local service, generated from `proto/tre/v1`.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated; the .proto files carry the documentation"
)]
pub mod v1 {
    tonic::include_proto!("tre.v1");
}

/// What server and workers say to each other.
pub mod worker {
    /// Largest frame that server and workers exchange, in bytes: the base cells of one frontier with their evidence.
    pub const MAX_FRAME: usize = 256 << 20;

    /// Messages generated from `proto/tre/worker/v1`.
    #[expect(missing_docs, reason = "generated; the .proto file carries the documentation")]
    pub mod v1 {
        tonic::include_proto!("tre.worker.v1");
    }
}
