//! One build serves the demonstration and the tests: what `tre` alone is built from has the same features as in the whole
//! workspace, tests included. Otherwise Cargo compiles the package that differs twice, and everything above it; a single
//! feature of a small crate has cost a second DataFusion that way.

use std::collections::BTreeSet;

use super::tree::{DEMO_FEATURES, Finding, TEST_FEATURES, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let (Some(demo), Some(tests)) = (tree.get(DEMO_FEATURES), tree.get(TEST_FEATURES)) else {
        return vec![Finding::of_project("nobody asked which features are built")];
    };
    let lines = |text| -> BTreeSet<String> { str::lines(text).map(plain).collect() };
    let tested = lines(&tests.text);
    let apart = lines(&demo.text)
        .into_iter()
        .filter(|line| !tested.contains(line));
    apart
        .map(|line| {
            let package = line.split(" v").next().unwrap_or(&line);
            let others = tested
                .iter()
                .filter(|other| other.split(" v").next() == Some(package));
            let others: Vec<&str> = others.map(String::as_str).collect();
            Finding::new(
                demo,
                0,
                format!(
                    "`{line}` would be compiled again for the tests, as `{}`",
                    others.join("`, `")
                ),
            )
        })
        .collect()
}

/// The line without the mark of a repeated package.
fn plain(line: &str) -> String {
    line.trim_end_matches(" (*)").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    #[test]
    fn cases() {
        for (demo, tests, expected) in [
            (
                "a v1.0.0 std\nb v2.0.0 ",
                "a v1.0.0 std (*)\nb v2.0.0\nc v1.0.0 x",
                None,
            ),
            (
                "a v1.0.0 std",
                "a v1.0.0 default,std",
                Some(
                    "(cargo tree -p tre-cli -e normal,build): `a v1.0.0 std` would be compiled again for the tests, as \
                     `a v1.0.0 default,std`",
                ),
            ),
        ] {
            let found = found(check, &[(DEMO_FEATURES, demo), (TEST_FEATURES, tests)]);
            assert_eq!(found.first().map(String::as_str), expected, "{demo}");
        }
        assert_eq!(
            found(check, &[]),
            ["project: nobody asked which features are built"]
        );
    }
}
