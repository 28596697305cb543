//! Every dependency of the workspace says in its line what it is for.

use super::tree::{Finding, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(manifest) = tree.get("Cargo.toml") else {
        return vec![Finding::of_project("there is no Cargo.toml")];
    };
    let mut findings = Vec::new();
    let mut section = "";
    for (index, line) in manifest.text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let ours = line.contains("{ path = ");
        let dependency =
            section == "[workspace.dependencies]" && !line.is_empty() && !line.starts_with('#') && !ours;
        // No version or feature contains a `#`, so what follows one is a comment.
        let comment = line.split_once('#').map_or("", |(_, comment)| comment.trim());
        if dependency && comment.is_empty() {
            let name = line.split([' ', '=']).next().unwrap_or(line);
            findings.push(Finding::new(manifest, index + 1, format!("`{name}`: what for?")));
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
        for (line, expected) in [
            ("csv = \"1\" # holders' files", None),
            ("csv = \"1\"", Some("Cargo.toml:2: `csv`: what for?")),
            (
                "csv = { version = \"1\" } #",
                Some("Cargo.toml:2: `csv`: what for?"),
            ),
            ("tre-core = { path = \"tre-core\" }", None),
            ("# a heading\n", None),
            ("[workspace.lints.rust]\nunsafe_code = \"forbid\"", None),
        ] {
            let text = format!("[workspace.dependencies]\n{line}");
            assert_eq!(
                found(check, &[("Cargo.toml", &text)]).first().map(String::as_str),
                expected,
                "{line}"
            );
        }
        assert_eq!(found(check, &[]), ["project: there is no Cargo.toml"]);
    }
}
