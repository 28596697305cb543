//! JSON: the value as serde writes it, `kind` in front, indented by two.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::Shown;
use crate::codes;
use crate::exit::Failure;

/// The envelope: serde flattens the value's own fields behind `kind`.
#[derive(Serialize)]
struct Document<'a, S> {
    kind: &'static str,
    #[serde(flatten)]
    value: &'a S,
}

/// One document and a line end.
pub(super) fn text<S: Shown>(shown: &S) -> Result<String, Failure> {
    write_value(&Document {
        kind: S::KIND,
        value: shown,
    })
}

/// Any value as indented JSON and a line end.
fn write_value(value: &impl Serialize) -> Result<String, Failure> {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b"  "));
    let written = value.serialize(&mut serializer);
    written.map_err(|error| {
        Failure::of(
            &codes::CLI_PROTOCOL,
            format!("a value cannot be written as JSON: {error}"),
        )
    })?;
    out.push(b'\n');
    String::from_utf8(out).map_err(|_| Failure::of(&codes::CLI_PROTOCOL, "a value cannot be written as JSON"))
}
