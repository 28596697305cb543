//! A lint that does not fit is expected, with a reason, so that it goes when its cause goes; it is never allowed.

use super::tree::{Finding, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        for (index, line) in file.code.lines().enumerate() {
            let packed: String = line.split_whitespace().collect();
            if packed.contains("#[allow(") || packed.contains("#![allow(") || in_cfg_attr(&packed) {
                findings.push(Finding::new(
                    file,
                    index + 1,
                    "write `#[expect(lint, reason = \"…\")]`",
                ));
            }
        }
    }
    findings
}

fn in_cfg_attr(packed: &str) -> bool {
    (packed.contains("#[cfg_attr(") || packed.contains("#![cfg_attr(")) && packed.contains(",allow(")
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    #[test]
    fn cases() {
        for (text, line) in [
            ("#[allow(dead_code)]", Some(1)),
            ("//! x\n#![allow( clippy::all )]", Some(2)),
            ("# [ allow (dead_code)]", Some(1)),
            ("#[cfg_attr(test, allow(dead_code))]", Some(1)),
            ("#[expect(dead_code, reason = \"…\")]", None),
            ("// never #[allow(x)]", None),
            ("let s = \"#[allow(x)]\";", None),
            ("permit.allow(x)", None),
        ] {
            let expected = line.map(|line| format!("a.rs:{line}: write `#[expect(lint, reason = \"…\")]`"));
            assert_eq!(
                found(check, &[("a.rs", text)]).first(),
                expected.as_ref(),
                "{text}"
            );
        }
    }
}
