//! Who may name which library, in a manifest and in code.

use super::directions::{dependencies, package};
use super::source::lines_with_word;
use super::tree::{Finding, Tree};

/// A library and the crates that may depend on it, for tests or not.
const ONLY: [(&str, &[&str]); 5] = [
    // The engine: hostile SQL may abort it, so the process that serves must not have it. Benches and tests compare with it.
    ("datafusion", &["tre-query", "tre-benches", "tre-tests"]),
    // Differential privacy: one place to prove.
    ("opendp", &["output-checker"]),
    // Who may do what is asked in one place.
    ("cedar-policy", &["tre-server"]),
    // The store has one owner.
    ("sqlx", &["tre-home"]),
    // The kernel's file rules belong to the jail.
    ("landlock", &["sandbox-runner"]),
];

/// Code that may name a library: path prefixes.
const FILES: [(&str, &[&str]); 1] = [("opendp", &["output-checker/src/dp/", "output-checker/src/dp.rs"])];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in tree.manifests() {
        let name = package(manifest).unwrap_or_default();
        for dependency in dependencies(manifest) {
            let rule = ONLY.iter().find(|(library, _)| *library == dependency.name);
            if let Some((library, owners)) = rule.filter(|(_, owners)| !owners.contains(&name)) {
                let text = format!("only {} may depend on `{library}`", owners.join(", "));
                findings.push(Finding::new(manifest, dependency.line, text));
            }
        }
    }
    for (library, places) in FILES {
        for file in tree
            .rust()
            .filter(|file| !places.iter().any(|place| file.path.starts_with(place)))
        {
            for line in lines_with_word(&file.code, library) {
                findings.push(Finding::new(
                    file,
                    line,
                    format!("only {} may name `{library}`", places.join(", ")),
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
                "a/Cargo.toml",
                "name = \"tre-query\"\n[dependencies]\ndatafusion.workspace = true",
                None,
            ),
            (
                "a/Cargo.toml",
                "name = \"tre-server\"\n[dev-dependencies]\ndatafusion.workspace = true",
                Some("a/Cargo.toml:3: only tre-query, tre-benches, tre-tests may depend on `datafusion`"),
            ),
            (
                "a/Cargo.toml",
                "name = \"tre-cli\"\n[dependencies]\ncedar-policy = \"4\"",
                Some("a/Cargo.toml:3: only tre-server may depend on `cedar-policy`"),
            ),
            ("output-checker/src/dp/laplace.rs", "use opendp::x;", None),
            (
                "output-checker/src/rules.rs",
                "// as in opendp\nuse opendp::x;",
                Some(
                    "output-checker/src/rules.rs:2: only output-checker/src/dp/, output-checker/src/dp.rs may name `opendp`",
                ),
            ),
        ] {
            assert_eq!(
                found(check, &[(path, text)]).first().map(String::as_str),
                expected,
                "{path}: {text}"
            );
        }
    }
}
