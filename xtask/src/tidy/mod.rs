//! Rules about the project itself, each in a file of its own with the cases that prove that it can fail.
//!
//! A rule is a function from the [`Tree`] (all text files, and what Cargo resolved) to findings; it reads nothing else.
//! `cargo xtask tidy` runs them in a second or two, `cargo xtask test` begins with them, and `cargo test -p xtask` runs them once more.

mod source;
mod tree;

mod directions;
mod libraries;
mod one_build;
mod resolved;

mod lengths;
mod lints;
mod pure;
mod unfinished;
mod unsafety;

mod paths;
mod peers;
mod tests_found;
mod threats;
mod what_for;

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::shell::{Shell, say};
use tree::{Finding, Tree};

/// A rule: its name and the function that looks for what breaks it.
type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

/// All rules.
const RULES: [Rule; 14] = [
    ("dependency directions", directions::check),
    ("who may name which library", libraries::check),
    ("what Cargo resolved", resolved::check),
    ("one build for demonstration and tests", one_build::check),
    ("file lengths", lengths::check),
    ("lints are expected, not allowed", lints::check),
    ("pure crates", pure::check),
    ("nothing unfinished", unfinished::check),
    ("unsafe code", unsafety::check),
    ("no place of one machine", paths::check),
    ("peers are tested", peers::check),
    ("no forgotten test file", tests_found::check),
    ("threats name their tests", threats::check),
    ("what dependencies are for", what_for::check),
];

/// The command.
pub(crate) fn run(shell: &Shell) -> Result<ExitCode> {
    check(shell).map(|()| ExitCode::SUCCESS)
}

/// Runs all rules on the project as it lies there; warnings are printed, anything worse is an error.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    let tree = Tree::load(shell)?;
    let mut broken = 0;
    for (name, rule) in RULES {
        for finding in rule(&tree) {
            say(&format!("{name}: {finding}"));
            broken += usize::from(!finding.is_warning());
        }
    }
    ensure!(broken == 0, "{broken} findings against the project's own rules");
    say(&format!("{} files keep {} rules", tree.len(), RULES.len()));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn this_project_keeps_its_rules() {
        check(&Shell::new().unwrap()).unwrap();
    }
}
