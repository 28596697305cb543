//! The `tre` command.
fn main() {}
