//! Which files a table's patterns name.

use std::path::{Path, PathBuf};

use tre_core::codes::{self, Problem};

/// A file of the holder's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How it is named in messages and in the rejects file: relative to the spec where it lies there.
    pub(crate) label: String,
    /// How it is read.
    pub(crate) format: Format,
    /// Bytes on disk.
    pub(crate) bytes: u64,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    CsvGz,
    Parquet,
}

impl Format {
    fn of(name: &str) -> Option<Format> {
        let name = name.to_ascii_lowercase();
        let known = [
            (".csv", Format::Csv),
            (".csv.gz", Format::CsvGz),
            (".parquet", Format::Parquet),
        ];
        known
            .into_iter()
            .find(|(ending, _)| name.ends_with(ending))
            .map(|(_, format)| format)
    }
}

/// Files of `patterns`, relative to `directory`, each once, sorted by path. Every pattern must name at least one.
pub(crate) fn find_files(
    directory: &Path,
    table: &str,
    patterns: &[String],
) -> Result<Vec<InputFile>, Problem> {
    let looked_in = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    let problem = |what: String| {
        let what = format!(
            "table `{table}`: {what} (looked for in `{}`)",
            looked_in.display()
        );
        Problem::of(&codes::ING_FILES, what)
    };
    let mut files: Vec<InputFile> = Vec::new();
    for pattern in patterns {
        for path in expand(directory, pattern).map_err(&problem)? {
            if files.iter().any(|file| file.path == path) {
                continue;
            }
            let label = path
                .strip_prefix(directory)
                .unwrap_or(&path)
                .display()
                .to_string();
            let metadata = path
                .metadata()
                .map_err(|error| problem(format!("`{label}`: {error}")))?;
            if !metadata.is_file() {
                return Err(problem(format!("`{label}` is not a file")));
            }
            let Some(format) = Format::of(&label) else {
                return Err(problem(format!(
                    "`{label}` ends neither in .csv nor in .csv.gz nor in .parquet"
                )));
            };
            files.push(InputFile {
                path,
                label,
                format,
                bytes: metadata.len(),
            });
        }
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn expand(directory: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![directory.join(pattern)]);
    }
    // The directory's own name may have characters that are special in patterns.
    let Some(directory) = directory.to_str() else {
        return Err("the spec's directory is not UTF-8".to_owned());
    };
    let escaped = Path::new(&glob::Pattern::escape(directory)).join(pattern);
    let paths = glob::glob(&escaped.to_string_lossy()).map_err(|error| format!("`{pattern}`: {error}"))?;
    let found: Vec<PathBuf> = paths
        .collect::<Result<_, _>>()
        .map_err(|error| format!("`{pattern}`: {error}"))?;
    if found.is_empty() {
        Err(format!("no file matches `{pattern}`"))
    } else {
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn patterns_files_and_what_is_neither() {
        let directory = tempfile::Builder::new().prefix("a[b]").tempdir().unwrap();
        for name in ["b.csv", "a.CSV.GZ", "c.parquet", "d.txt"] {
            std::fs::write(directory.path().join(name), "x").unwrap();
        }
        let find = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
            find_files(directory.path(), "t", &patterns)
                .map(|f| f.into_iter().map(|f| f.label).collect::<Vec<_>>())
        };
        assert_eq!(
            find(&["*.csv", "b.csv", "?.CSV.GZ", "*.parquet"]).unwrap(),
            ["a.CSV.GZ", "b.csv", "c.parquet"]
        );
        for (pattern, message) in [
            ("nothing.csv", "`nothing.csv`: No such file"),
            ("n*.csv", "no file matches `n*.csv`"),
            ("d.txt", "`d.txt` ends neither"),
            ("a[.csv", "`a[.csv`"),
        ] {
            let problem = find(&[pattern]).unwrap_err();
            assert_eq!(problem.code.id, "TRE-ING-009");
            assert!(
                problem.what.starts_with("table `t`: ")
                    && problem.what.contains(message)
                    && problem.what.contains(&directory.path().display().to_string()),
                "{problem}"
            );
        }
    }
}
