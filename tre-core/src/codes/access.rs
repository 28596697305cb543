//! `TRE-AUTH`.

super::codes! {
}
