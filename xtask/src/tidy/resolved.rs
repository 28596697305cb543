//! What Cargo resolved: libraries that nobody may bring in, one Arrow, and a server without the engine.

use super::tree::{Finding, SERVER_TREE, Tree};

/// Not in the lock file, whoever wants them: a second TLS stack, or one that needs a C++ compiler and perl.
const BANNED: [&str; 5] = ["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"];

/// In the lock file once: two versions do not know each other's types.
const ONCE: [&str; 4] = ["arrow-array", "arrow-schema", "parquet", "datafusion"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    match tree.get("Cargo.lock") {
        None => findings.push(Finding::of_project("there is no Cargo.lock")),
        Some(lock) => {
            let line = |name: &str| format!("name = \"{name}\"");
            for (index, text) in lock.text.lines().enumerate() {
                if let Some(name) = BANNED.iter().find(|name| text == line(name)) {
                    findings.push(Finding::new(
                        lock,
                        index + 1,
                        format!("`{name}` is banned; `cargo tree -i {name}` says whence"),
                    ));
                }
            }
            for name in ONCE {
                let versions = lock.text.lines().filter(|text| *text == line(name)).count();
                if versions > 1 {
                    findings.push(Finding::new(lock, 0, format!("{versions} versions of `{name}`")));
                }
            }
        }
    }
    match tree.get(SERVER_TREE) {
        None => findings.push(Finding::of_project("nobody asked what tre-server depends on")),
        Some(resolved) => {
            let engine = resolved
                .text
                .lines()
                .enumerate()
                .find(|(_, line)| line.starts_with("datafusion"));
            if let Some((index, line)) = engine {
                findings.push(Finding::new(
                    resolved,
                    index + 1,
                    format!("the server has the engine: {line}"),
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
        const GOOD: (&str, &str) = (SERVER_TREE, "tre-server v0.1.0\ntre-core v0.1.0\n");
        for (files, expected) in [
            (
                [("Cargo.lock", "name = \"ring\"\nname = \"parquet\"\n"), GOOD],
                None,
            ),
            (
                [("Cargo.lock", "name = \"a\"\nname = \"openssl\"\n"), GOOD],
                Some("Cargo.lock:2: `openssl` is banned; `cargo tree -i openssl` says whence"),
            ),
            (
                [
                    ("Cargo.lock", "name = \"arrow-array\"\nname = \"arrow-array\"\n"),
                    GOOD,
                ],
                Some("Cargo.lock: 2 versions of `arrow-array`"),
            ),
            (
                [
                    ("Cargo.lock", ""),
                    (SERVER_TREE, "tre-server v0.1.0\ndatafusion-common v55.2.0\n"),
                ],
                Some(
                    "(cargo tree -p tre-server -e normal):2: the server has the engine: datafusion-common v55.2.0",
                ),
            ),
            (
                [("Cargo.lock", ""), ("x", "")],
                Some("project: nobody asked what tre-server depends on"),
            ),
            ([("x", ""), GOOD], Some("project: there is no Cargo.lock")),
        ] {
            assert_eq!(
                found(check, &files).first().map(String::as_str),
                expected,
                "{files:?}"
            );
        }
    }
}
