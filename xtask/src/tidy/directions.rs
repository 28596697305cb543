//! Dependencies point one way: a crate may depend only on those listed here.
//!
//! Development dependencies may reach further, for tests need data and homes, but never back: not on a crate that
//! depends on the one that is tested.

use super::tree::{File, Finding, Tree};

/// Every crate of ours and whom it may depend on.
const MAY: [(&str, &[&str]); 14] = [
    ("tre-core", &[]),
    ("output-checker", &["tre-core"]),
    ("tre-proto", &["tre-core"]),
    ("tre-query", &["tre-core", "output-checker", "tre-proto"]),
    ("tre-home", &["tre-core"]),
    ("tre-ingest", &["tre-core", "tre-home"]),
    ("sandbox-runner", &[]),
    (
        "tre-worker",
        &[
            "tre-core",
            "output-checker",
            "tre-query",
            "tre-proto",
            "sandbox-runner",
        ],
    ),
    (
        "tre-server",
        &[
            "tre-core",
            "output-checker",
            "tre-home",
            "tre-proto",
            "sandbox-runner",
        ],
    ),
    (
        "tre-cli",
        &[
            "tre-core",
            "output-checker",
            "tre-proto",
            "tre-query",
            "tre-home",
            "tre-ingest",
            "sandbox-runner",
            "tre-worker",
            "tre-server",
            "tre-examples",
        ],
    ),
    ("tre-examples", &[]),
    (
        "tre-benches",
        &[
            "tre-core",
            "output-checker",
            "tre-proto",
            "tre-query",
            "tre-home",
            "tre-ingest",
            "tre-worker",
            "tre-examples",
        ],
    ),
    (
        "tre-tests",
        &[
            "tre-core",
            "output-checker",
            "tre-proto",
            "tre-query",
            "tre-home",
            "tre-ingest",
            "sandbox-runner",
            "tre-worker",
            "tre-server",
            "tre-cli",
            "tre-examples",
        ],
    ),
    ("xtask", &[]),
];

/// A dependency as a manifest names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency<'a> {
    pub(super) name: &'a str,
    /// Only for tests, examples and benches.
    pub(super) development: bool,
    pub(super) line: usize,
}

/// The name of a manifest's package.
pub(super) fn package(manifest: &File) -> Option<&str> {
    let line = manifest.text.lines().find(|line| line.starts_with("name = "))?;
    line.split('"').nth(1)
}

/// All dependencies of a manifest, of every kind and target.
pub(super) fn dependencies(manifest: &File) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    let mut section = "";
    for (index, line) in manifest.text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            let (kind, name) = section.rsplit_once('.').unwrap_or((section, ""));
            if kind.ends_with("dependencies") && !name.is_empty() {
                let development = kind.ends_with("dev-dependencies");
                found.push(Dependency {
                    name,
                    development,
                    line: index + 1,
                });
            }
        } else if section.ends_with("dependencies") && !line.is_empty() && !line.starts_with('#') {
            let name = line
                .split(['=', '.', ' '])
                .next()
                .unwrap_or(line)
                .trim_matches('"');
            found.push(Dependency {
                name,
                development: section.ends_with("dev-dependencies"),
                line: index + 1,
            });
        }
    }
    found
}

fn may(name: &str) -> Option<&'static [&'static str]> {
    MAY.iter()
        .find(|(crate_name, _)| *crate_name == name)
        .map(|(_, allowed)| *allowed)
}

/// Whether `upper` may reach `lower`, on whatever way.
fn reaches(upper: &str, lower: &str) -> bool {
    may(upper)
        .unwrap_or_default()
        .iter()
        .any(|name| *name == lower || reaches(name, lower))
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in tree.manifests() {
        let Some(name) = package(manifest) else { continue };
        let Some(allowed) = may(name) else {
            findings.push(Finding::new(
                manifest,
                0,
                format!("`{name}` is in no list of directions"),
            ));
            continue;
        };
        for dependency in dependencies(manifest) {
            let other = dependency.name;
            if may(other).is_none() || allowed.contains(&other) {
                continue;
            }
            if !dependency.development {
                findings.push(Finding::new(
                    manifest,
                    dependency.line,
                    format!("`{name}` may not depend on `{other}`"),
                ));
            } else if other == name || reaches(other, name) {
                let text = format!("`{name}` may not test with `{other}`, which depends on it");
                findings.push(Finding::new(manifest, dependency.line, text));
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
        let manifest = |package: &str, rest: &str| format!("[package]\nname = \"{package}\"\n{rest}");
        for (package, rest, expected) in [
            (
                "tre-home",
                "[dependencies]\ntre-core.workspace = true\nring = \"1\"\n",
                None,
            ),
            (
                "tre-core",
                "[dependencies]\ntre-home = { path = \"../tre-home\" }\n",
                Some("x/Cargo.toml:4: `tre-core` may not depend on `tre-home`"),
            ),
            (
                "tre-server",
                "[dependencies.tre-query]\npath = \"…\"\n",
                Some("x/Cargo.toml:3: `tre-server` may not depend on `tre-query`"),
            ),
            (
                "tre-core",
                "[target.'cfg(unix)'.dependencies]\ntre-proto.workspace = true\n",
                Some("x/Cargo.toml:4: `tre-core` may not depend on `tre-proto`"),
            ),
            (
                "tre-core",
                "[build-dependencies]\nxtask.workspace = true\n",
                Some("x/Cargo.toml:4: `tre-core` may not depend on `xtask`"),
            ),
            (
                "tre-query",
                "[dev-dependencies]\ntre-ingest.workspace = true\n",
                None,
            ),
            (
                "tre-query",
                "[dev-dependencies]\ntre-worker.workspace = true\n",
                Some("x/Cargo.toml:4: `tre-query` may not test with `tre-worker`, which depends on it"),
            ),
            (
                "new-crate",
                "",
                Some("x/Cargo.toml: `new-crate` is in no list of directions"),
            ),
        ] {
            let text = manifest(package, rest);
            assert_eq!(
                found(check, &[("x/Cargo.toml", &text)])
                    .first()
                    .map(String::as_str),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn the_directions_have_no_cycle() {
        for (name, _) in MAY {
            assert!(!reaches(name, name), "{name}");
        }
    }
}
