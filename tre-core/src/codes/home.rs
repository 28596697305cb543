//! `TRE-HOME`.

super::codes! {
}
