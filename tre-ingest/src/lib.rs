//! The holder's side.

mod reason;

mod source;

mod canon;
mod link;
mod values;

mod row;
mod sort;

pub use reason::Reason;
pub use source::SourceError;
