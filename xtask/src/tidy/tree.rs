//! The project as the rules see it: text files by path, and what Cargo resolved.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::source;
use crate::shell::{Shell, output};

/// Pseudo-file: `cargo tree -p tre-server`, one package a line.
pub(super) const SERVER_TREE: &str = "(cargo tree -p tre-server -e normal)";

/// Pseudo-files: package and features, one a line, of what the demonstration builds and of what the tests build.
pub(super) const DEMO_FEATURES: &str = "(cargo tree -p tre-cli -e normal,build)";
pub(super) const TEST_FEATURES: &str = "(cargo tree --workspace -e normal,build,dev)";

/// What is not the project's text. In a second working tree of Git `.git` is a file, which says where the first one is.
const OUTSIDE: [&str; 3] = [".git", "target", "__pycache__"];

/// A text file.
#[derive(Debug)]
pub(super) struct File {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// Of a Rust file: comments, strings and character literals blanked, lines kept. Of others: empty.
    pub(super) code: String,
}

impl File {
    /// A file of this path and text.
    pub(super) fn new(path: &str, text: &str) -> File {
        let code = if path.ends_with(".rs") {
            source::code(text)
        } else {
            String::new()
        };
        File {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
        }
    }

    /// The directory of the crate that the file is part of; "" for files of the root.
    pub(super) fn directory(&self) -> &str {
        self.path.split_once('/').map_or("", |(first, _)| first)
    }
}

/// All files of the project.
#[derive(Debug)]
pub(super) struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// A tree of these paths and texts; for the rules' own cases.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Tree {
        Tree {
            files: files.iter().map(|(path, text)| File::new(path, text)).collect(),
        }
    }

    /// The project as it lies there. Files that are not UTF-8 are data, not text, and left out.
    pub(super) fn load(shell: &Shell) -> Result<Tree> {
        let mut files = Vec::new();
        walk(&shell.root, "", &mut files)?;
        let mut resolve = |path: &str, what: &[&str]| -> Result<()> {
            let text = output(
                shell
                    .cargo(&["tree", "--prefix", "none", "-f", "{p} {f}"])
                    .args(what),
            )?;
            files.push(File::new(path, &text));
            Ok(())
        };
        resolve(SERVER_TREE, &["-p", "tre-server", "-e", "normal"])?;
        resolve(DEMO_FEATURES, &["-p", "tre-cli", "-e", "normal,build"])?;
        resolve(TEST_FEATURES, &["--workspace", "-e", "normal,build,dev"])?;
        Ok(Tree { files })
    }

    /// Number of files.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// All files.
    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    /// Rust files.
    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// The manifests of our crates.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &File> {
        self.files
            .iter()
            .filter(|file| file.path.ends_with("/Cargo.toml"))
    }

    /// A file by path.
    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn walk(directory: &Path, prefix: &str, files: &mut Vec<File>) -> Result<()> {
    let context = || format!("cannot read `{}`", directory.display());
    let mut entries = fs::read_dir(directory)
        .with_context(context)?
        .collect::<Result<Vec<_>, _>>()
        .with_context(context)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if OUTSIDE.contains(&name.as_str()) {
            continue;
        }
        let kind = entry.file_type().with_context(context)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read `{path}`"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(File::new(&path, &text));
            }
        }
    }
    Ok(())
}

/// What breaks a rule, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    text: String,
    warning: bool,
}

impl Finding {
    /// Something at a line (from 1; 0 for the file as a whole).
    pub(super) fn new(file: &File, line: usize, text: impl Into<String>) -> Finding {
        Finding {
            path: file.path.clone(),
            line,
            text: text.into(),
            warning: false,
        }
    }

    /// Something about the project that no file shows.
    pub(super) fn of_project(text: impl Into<String>) -> Finding {
        Finding {
            path: "project".to_owned(),
            line: 0,
            text: text.into(),
            warning: false,
        }
    }

    /// The same, only worth telling.
    pub(super) fn warning(self) -> Finding {
        Finding {
            warning: true,
            ..self
        }
    }

    /// Whether the rule is not broken yet.
    pub(super) fn is_warning(&self) -> bool {
        self.warning
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = if self.line > 0 {
            format!(":{}", self.line)
        } else {
            String::new()
        };
        let warning = if self.warning { "warning: " } else { "" };
        write!(f, "{}{line}: {warning}{}", self.path, self.text)
    }
}

/// The findings of a rule in one line each, for its cases.
#[cfg(test)]
pub(super) fn found(check: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)]) -> Vec<String> {
    check(&Tree::of(files)).iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn the_project_is_read_without_what_is_built() {
        let tree = Tree::load(&Shell::new().unwrap()).unwrap();
        assert!(tree.get("xtask/src/main.rs").is_some() && tree.get("Cargo.toml").is_some());
        assert!(tree.get(SERVER_TREE).unwrap().text.contains("tre-core v"));
        let of_git = |file: &File| file.path == ".git" || file.path.starts_with(".git/");
        assert!(!tree.files().iter().any(of_git));
    }
}
