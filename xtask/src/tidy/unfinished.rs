//! Nothing is promised in a comment or left to panic: what does not exist yet says so to its user, with exit code 2.

use super::source::lines_with_word;
use super::tree::{Finding, Tree};

/// Marks in any text, comments included; written so that this file does not contain them.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Endings of the files that are ours to finish.
const TEXTS: [&str; 11] = [
    ".rs",
    ".toml",
    ".md",
    ".py",
    ".go",
    ".proto",
    ".cedar",
    ".cedarschema",
    ".sql",
    ".sh",
    ".ci/run",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| TEXTS.iter().any(|ending| file.path.ends_with(ending)))
    {
        for mark in MARKS {
            for line in lines_with_word(&file.text, mark) {
                findings.push(Finding::new(
                    file,
                    line,
                    format!("`{mark}`: do it, or file an issue"),
                ));
            }
        }
        for (index, line) in file.code.lines().enumerate() {
            for call in ["todo!", "unimplemented!"] {
                if line.contains(call) {
                    findings.push(Finding::new(file, index + 1, format!("`{call}` is no answer")));
                }
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
        let [first, second, _] = MARKS;
        for (path, text, expected) in [
            (
                "a.rs",
                format!("// {first}: later"),
                Some(format!("a.rs:1: `{first}`: do it, or file an issue")),
            ),
            (
                "a.py",
                format!("x = 1\n# {second}"),
                Some(format!("a.py:2: `{second}`: do it, or file an issue")),
            ),
            (
                "a.rs",
                "todo!()".to_owned(),
                Some("a.rs:1: `todo!` is no answer".to_owned()),
            ),
            (
                "a.rs",
                "unimplemented!(\"x\")".to_owned(),
                Some("a.rs:1: `unimplemented!` is no answer".to_owned()),
            ),
            ("a.rs", "// todo!() is forbidden".to_owned(), None),
            ("a.csv", first.to_owned(), None),
            ("a.rs", format!("let {first}S = 1;"), None),
        ] {
            assert_eq!(
                found(check, &[(path, &text)]).first(),
                expected.as_ref(),
                "{text}"
            );
        }
    }
}
