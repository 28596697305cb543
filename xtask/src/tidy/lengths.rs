//! Rust files stay short enough to read at a sitting: one subject per file.

use super::tree::{Finding, Tree};

const MOST: usize = 500;
const MANY: usize = 450;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let lengths = tree.rust().map(|file| (file, file.text.lines().count()));
    lengths
        .filter(|(_, lines)| *lines > MANY)
        .map(|(file, lines)| {
            let finding = Finding::new(
                file,
                0,
                format!("{lines} lines; at most {MOST}, better under {MANY}"),
            );
            if lines > MOST { finding } else { finding.warning() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    #[test]
    fn cases() {
        for (path, lines, expected) in [
            ("a/src/lib.rs", 450, None),
            (
                "a/src/lib.rs",
                451,
                Some("a/src/lib.rs: warning: 451 lines; at most 500, better under 450"),
            ),
            (
                "a/src/lib.rs",
                500,
                Some("a/src/lib.rs: warning: 500 lines; at most 500, better under 450"),
            ),
            (
                "a/src/lib.rs",
                501,
                Some("a/src/lib.rs: 501 lines; at most 500, better under 450"),
            ),
            ("a/list.csv", 900, None),
        ] {
            assert_eq!(
                found(check, &[(path, &"x\n".repeat(lines))])
                    .first()
                    .map(String::as_str),
                expected,
                "{lines}"
            );
        }
    }
}
