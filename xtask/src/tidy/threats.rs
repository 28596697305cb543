//! `docs/threats.md` says which test attacks which control, `docs/lineage.md` which attacks a rule of lineage. A test that was renamed or removed would leave a claim without
//! a check behind it, so every row names at least one test, and every test that the page names exists.

use super::source::{has_word, lines_with_word};
use super::tree::{File, Finding, Tree};

const PAGES: [&str; 2] = ["docs/threats.md", "docs/lineage.md"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    PAGES.iter().flat_map(|page| check_page(tree, page)).collect()
}

fn check_page(tree: &Tree, path: &str) -> Vec<Finding> {
    let Some(page) = tree.get(path) else {
        return vec![Finding::of_project(format!("`{path}` is missing"))];
    };
    let mut findings = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        let mut finding = |text: String| findings.push(Finding::new(page, index + 1, text));
        let mut named = 0;
        for quoted in quotes(line).filter(|quoted| quoted.contains(".rs")) {
            named += 1;
            if let Err(wrong) = look_up(tree, quoted) {
                finding(wrong);
            }
        }
        if named == 0 && is_row(&page.text, index) {
            finding("no test is named: write `file.rs::name`".to_owned());
        }
    }
    findings
}

/// Whether a table's row stands at this line (from 0): neither its head nor the rule below that.
fn is_row(page: &str, index: usize) -> bool {
    let is_rule = |line: &str| line.starts_with('|') && line.chars().all(|c| "|-: ".contains(c));
    let mut from_here = page.lines().skip(index);
    match (from_here.next(), from_here.next()) {
        (Some(line), after) => line.starts_with('|') && !is_rule(line) && !after.is_some_and(is_rule),
        (None, _) => false,
    }
}

/// What stands between pairs of backticks.
fn quotes(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Finds `file.rs::name`.
fn look_up(tree: &Tree, quoted: &str) -> Result<(), String> {
    let Some((path, name)) = quoted.split_once("::") else {
        return Err(format!("`{quoted}` names no test: write `file.rs::name`"));
    };
    let file = tree
        .get(path)
        .ok_or_else(|| format!("`{path}` does not exist, so nobody tests this"))?;
    if is_test(file, name) {
        Ok(())
    } else {
        Err(format!("`{path}` has no test `{name}`, so nobody tests this"))
    }
}

/// Whether the file has a function of this name with a test's attribute before it.
fn is_test(file: &File, name: &str) -> bool {
    let lines: Vec<&str> = file.code.lines().collect();
    let function = format!("fn {name}");
    lines_with_word(&file.code, &function).any(|line| {
        let before = lines.get(..line - 1).unwrap_or_default();
        // Attributes stand between the function and whatever ends before it; comments are blank here.
        before
            .iter()
            .rev()
            .take_while(|line| !line.contains(['{', '}', ';']))
            .any(|line| line.trim_start().starts_with("#[") && has_word(line, "test"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    const TESTS: (&str, &str) = (
        "a/tests/it/one.rs",
        "fn helper() {}\n#[test]\nfn holds() {}\n\n#[tokio::test(flavor = \"x\")]\n// why\nasync fn waits() {}\n\
         // #[test]\nfn commented() {}\n",
    );

    fn looked(row: &str) -> Vec<String> {
        let page = format!("| attack | control | test |\n|---|---|---|\n{row}\n");
        found(|tree| check_page(tree, PAGES[0]), &[TESTS, (PAGES[0], &page)])
    }

    #[test]
    fn every_row_names_tests_that_exist() {
        for row in [
            "| a | b | `a/tests/it/one.rs::holds` |",
            "| `pid` | b | `a/tests/it/one.rs::holds`, `a/tests/it/one.rs::waits` |",
            "Text about `pid` between tables.",
        ] {
            assert_eq!(looked(row), Vec::<String>::new(), "{row}");
        }
    }

    #[test]
    fn what_nobody_tests_is_found() {
        let gone = |name: &str| {
            format!("docs/threats.md:3: `a/tests/it/one.rs` has no test `{name}`, so nobody tests this")
        };
        for (row, expected) in [
            ("| a | b | `a/tests/it/one.rs::hold` |", gone("hold")),
            ("| a | b | `a/tests/it/one.rs::helper` |", gone("helper")),
            ("| a | b | `a/tests/it/one.rs::commented` |", gone("commented")),
            ("As `a/tests/it/one.rs::gone` shows.", gone("gone")),
            (
                "| a | b | `a/tests/it/two.rs::holds` |",
                "docs/threats.md:3: `a/tests/it/two.rs` does not exist, so nobody tests this".to_owned(),
            ),
            (
                "| a | b | `a/tests/it/one.rs` |",
                "docs/threats.md:3: `a/tests/it/one.rs` names no test: write `file.rs::name`".to_owned(),
            ),
            (
                "| a | b | by reading |",
                "docs/threats.md:3: no test is named: write `file.rs::name`".to_owned(),
            ),
        ] {
            assert_eq!(looked(row), [expected], "{row}");
        }
        let missing = PAGES.map(|page| format!("project: `{page}` is missing"));
        assert_eq!(found(check, &[TESTS]), missing);
    }
}
