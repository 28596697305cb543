//! `TRE-SDC`: what the checker decided, and why.

super::codes! {
}
