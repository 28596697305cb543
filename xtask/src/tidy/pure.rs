//! The functional core does no I/O and reads neither clock nor environment: time, randomness and history are arguments.

use super::source::has_word;
use super::tree::{Finding, Tree};

/// Sources of the core.
const CORE: [&str; 2] = ["tre-core/src/", "output-checker/src/"];

/// Modules and functions of the outside world.
const OUTSIDE: [&str; 13] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "SystemRandom",
    "tokio",
    "println!",
    "eprintln!",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .rust()
        .filter(|file| CORE.iter().any(|core| file.path.starts_with(core)))
    {
        // Unit tests stand at the end and may read the files that they compare with.
        let product = file.code.split("#[cfg(test)]").next().unwrap_or_default();
        for (index, line) in product.lines().enumerate() {
            for name in OUTSIDE.iter().filter(|name| has_word(line, name)) {
                findings.push(Finding::new(
                    file,
                    index + 1,
                    format!("`{name}` has no place in `{}`", file.directory()),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    #[test]
    fn cases() {
        for (path, text, expected) in [
            (
                "tre-core/src/a.rs",
                "use std::fs;",
                Some("tre-core/src/a.rs:1: `std::fs` has no place in `tre-core`"),
            ),
            (
                "output-checker/src/a.rs",
                "\nlet t = jiff::Timestamp::now();",
                Some("output-checker/src/a.rs:2: `Timestamp::now` has no place in `output-checker`"),
            ),
            ("tre-core/src/a.rs", "// not std::fs\nlet s = \"std::fs\";", None),
            (
                "tre-core/src/a.rs",
                "fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }",
                None,
            ),
            ("tre-core/tests/it/a.rs", "use std::fs;", None),
            ("tre-home/src/a.rs", "use std::fs;", None),
        ] {
            assert_eq!(
                found(check, &[(path, text)]).first().map(String::as_str),
                expected,
                "{text}"
            );
        }
    }
}
