//! Unsafe code is the jail's alone.

use super::source::lines_with_word;
use super::tree::{Finding, Tree};

const JAIL: &str = "sandbox-runner/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let others = tree.rust().filter(|file| !file.path.starts_with(JAIL));
    others
        .flat_map(|file| {
            let lines = lines_with_word(&file.code, "unsafe");
            lines.map(move |line| Finding::new(file, line, "unsafe code belongs to sandbox-runner"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    #[test]
    fn cases() {
        for (path, text, expected) in [
            (
                "tre-query/src/a.rs",
                "fn f() {\n    unsafe { g() }\n}",
                Some("tre-query/src/a.rs:2: unsafe code belongs to sandbox-runner"),
            ),
            (
                "tre-query/src/a.rs",
                "unsafe impl Send for X {}",
                Some("tre-query/src/a.rs:1: unsafe code belongs to sandbox-runner"),
            ),
            ("sandbox-runner/src/a.rs", "unsafe { g() }", None),
            (
                "tre-query/src/a.rs",
                "// an unsafe cell\nlet s = \"unsafe\";",
                None,
            ),
            ("tre-query/src/lib.rs", "#![forbid(unsafe_code)]", None),
        ] {
            assert_eq!(
                found(check, &[(path, text)]).first().map(String::as_str),
                expected,
                "{text}"
            );
        }
    }
}
