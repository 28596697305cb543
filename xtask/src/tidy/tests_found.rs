//! One integration binary per crate, `tests/it/main.rs`, and every file beside it is a module of it: a file that nobody names
//! is never compiled. A program that tests start may lie in a directory beside `it`; the manifest says so with a `[[bin]]`.

use super::source::has_word;
use super::tree::{File, Finding, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().filter_map(|file| look(tree, file)).collect()
}

fn look(tree: &Tree, file: &File) -> Option<Finding> {
    let (before, inside) = split(&file.path)?;
    let Some((root, inside)) = inside
        .split_once('/')
        .filter(|(root, _)| *root == "it" || is_program(tree, before, root))
    else {
        return Some(Finding::new(
            file,
            0,
            "integration tests are modules of `tests/it/main.rs`",
        ));
    };
    if inside == "main.rs" {
        return None;
    }
    // it/a.rs and it/a/mod.rs are named by it/main.rs; it/a/b.rs by it/a/mod.rs or it/a.rs.
    let stem = inside.trim_end_matches(".rs").trim_end_matches("/mod");
    let (directory, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let root = format!("{before}tests/{root}");
    let parents = match directory {
        "" => vec![format!("{root}/main.rs")],
        directory => vec![
            format!("{root}/{directory}/mod.rs"),
            format!("{root}/{directory}.rs"),
        ],
    };
    let module = format!("mod {name};");
    let named = parents
        .iter()
        .filter_map(|path| tree.get(path))
        .any(|parent| has_word(&parent.code, &module));
    (!named).then(|| {
        Finding::new(
            file,
            0,
            format!("forgotten: no `{module}` in `{}`", parents.join("` or `")),
        )
    })
}

/// Whether the crate's manifest makes a program of `tests/<root>/main.rs`.
fn is_program(tree: &Tree, before: &str, root: &str) -> bool {
    let path = format!("path = \"tests/{root}/main.rs\"");
    let manifest = tree.get(&format!("{before}Cargo.toml"));
    let mut section = "";
    manifest.is_some_and(|manifest| {
        manifest.text.lines().any(|line| {
            if line.starts_with('[') {
                section = line;
            }
            section == "[[bin]]" && line == path
        })
    })
}

/// `crate/tests/it/x.rs` becomes `crate/` and `it/x.rs`. The member crate `tests` has its own `src` and `tests`.
fn split(path: &str) -> Option<(&str, &str)> {
    let at = path.find("/tests/")?;
    Some((path.get(..=at)?, path.get(at + "/tests/".len()..)?))
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    #[test]
    fn cases() {
        const MAIN: (&str, &str) = ("a/tests/it/main.rs", "mod one;\n// mod two;\nmod deep;\n");
        const PROGRAM: (&str, &str) = ("c/Cargo.toml", "[[bin]]\npath = \"tests/attack/main.rs\"\n");
        for (path, expected) in [
            ("a/tests/it/one.rs", None),
            (
                "a/tests/it/two.rs",
                Some("a/tests/it/two.rs: forgotten: no `mod two;` in `a/tests/it/main.rs`"),
            ),
            (
                "b/tests/it/one.rs",
                Some("b/tests/it/one.rs: forgotten: no `mod one;` in `b/tests/it/main.rs`"),
            ),
            ("a/tests/it/deep/mod.rs", None),
            (
                "a/tests/it/deep/more.rs",
                Some(
                    "a/tests/it/deep/more.rs: forgotten: no `mod more;` in `a/tests/it/deep/mod.rs` or `a/tests/it/deep.rs`",
                ),
            ),
            (
                "a/tests/cli.rs",
                Some("a/tests/cli.rs: integration tests are modules of `tests/it/main.rs`"),
            ),
            ("c/tests/attack/main.rs", None),
            (
                "c/tests/attack/more.rs",
                Some("c/tests/attack/more.rs: forgotten: no `mod more;` in `c/tests/attack/main.rs`"),
            ),
            (
                "a/tests/attack/main.rs",
                Some("a/tests/attack/main.rs: integration tests are modules of `tests/it/main.rs`"),
            ),
            ("tests/src/lib.rs", None),
            (
                "tests/tests/it/one.rs",
                Some("tests/tests/it/one.rs: forgotten: no `mod one;` in `tests/tests/it/main.rs`"),
            ),
        ] {
            assert_eq!(
                found(check, &[MAIN, PROGRAM, (path, "")])
                    .first()
                    .map(String::as_str),
                expected,
                "{path}"
            );
        }
    }
}
