//! `TRE-ING`.

super::codes! {
}
