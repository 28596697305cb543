//! `tre release`: what has left, and getting it.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_proto::v1;

use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::codes;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Cell, Published, listing, published};
use crate::shell::Shell;

/// List and fetch released files
///
/// A release is a file with its record: which rules and treatments were applied, under which policy, bound to the file
/// by its hash.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ReleaseArgs {
    #[command(subcommand)]
    command: ReleaseCommand,
}

const EXAMPLES: &str = "\
Examples:
  tre release list
  tre release fetch rel_mfrggzdfmztwq2lk                 writes its files here, replaces none
  tre release fetch req_mfrggzdfmztwq2lk -o results/     by its request, into a directory
  tre release fetch rel_mfrggzdfmztwq2lk -o -            the output alone, to stdout";

#[derive(Debug, Subcommand)]
enum ReleaseCommand {
    /// List releases
    List {
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Write a release's files: the output and its record
    Fetch {
        /// The release, or the request that it came from
        id: String,
        /// Directory to write to, made if missing; `-` writes the output alone to stdout
        #[arg(short, long, value_name = "DIR", default_value = ".")]
        output: PathBuf,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
}

listing!(
    /// Releases.
    Releases of ReleaseRow, "releases", ["id", "request", "author", "released", "bytes", "title"]
);

/// One release.
#[derive(Debug, Serialize, JsonSchema)]
struct ReleaseRow {
    /// The release.
    id: String,
    /// The request that it came from.
    request: String,
    /// The project.
    project: String,
    /// Who asked for it.
    author: String,
    /// What it is.
    title: String,
    /// When it was released.
    released: String,
    /// Size of the output.
    bytes: u64,
    /// SHA-256 of the output.
    sha256: String,
}

impl ReleaseRow {
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.id),
            Cell::text(&self.request),
            Cell::text(&self.author),
            Cell::time(&self.released),
            Cell::number(self.bytes),
            Cell::text(&self.title),
        ]
    }
}

impl From<v1::Release> for ReleaseRow {
    fn from(release: v1::Release) -> Self {
        ReleaseRow {
            id: release.id,
            request: release.request,
            project: release.project,
            author: release.author,
            title: release.title,
            released: release.released,
            bytes: release.bytes,
            sha256: release.sha256,
        }
    }
}

listing!(
    /// Files written.
    FetchedFiles of FileRow, "fetched-files", ["file", "bytes", "media_type"]
);

/// One file written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FileRow {
    /// Where it is now.
    file: String,
    /// Its size.
    bytes: usize,
    /// What it holds.
    media_type: String,
}

impl FileRow {
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.file),
            Cell::number(self.bytes),
            Cell::text(&self.media_type),
        ]
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<Releases>(), published::<FetchedFiles>()]
}

/// Asks the server.
pub(crate) fn run(args: ReleaseArgs, shell: &Shell) -> Outcome {
    block_on(async {
        match args.command {
            ReleaseCommand::List { remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let listed = answer(control.list_releases(v1::ListReleasesRequest {}).await)?;
                let rows = listed.releases.into_iter().map(ReleaseRow::from).collect();
                shell.show(&Releases { rows }, format.format)?;
            }
            ReleaseCommand::Fetch {
                id,
                output,
                remote,
                format,
            } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let fetched = answer(control.fetch_release(v1::FetchReleaseRequest { id }).await)?;
                if output.as_os_str() == "-" {
                    let file = fetched
                        .files
                        .first()
                        .ok_or_else(|| protocol("the release has no file"))?;
                    shell.raw(&file.content)?;
                } else {
                    let rows = write(&fetched.files, &output)?;
                    shell.show(&FetchedFiles { rows }, format.format)?;
                }
            }
        }
        Ok(Exit::Answered)
    })
}

/// Writes every file into the directory. None may exist yet: a fetched output is evidence and is never replaced.
pub(crate) fn write(files: &[v1::ReleasedFile], dir: &Path) -> Result<Vec<FileRow>, Failure> {
    std::fs::create_dir_all(dir).map_err(|error| Failure::file("make", dir, &error))?;
    let mut rows = Vec::new();
    for file in files {
        if !is_plain(&file.name) {
            return Err(protocol(&format!(
                "the release has a file with the odd name `{}`",
                file.name
            )));
        }
        let path = dir.join(&file.name);
        let failed = |error: std::io::Error| {
            if error.kind() != ErrorKind::AlreadyExists {
                return Failure::file("write", &path, &error);
            }
            Failure::new(
                &codes::CLI_FILE,
                format!(
                    "`{}` is there already, and a fetched file replaces none",
                    path.display()
                ),
                "choose another directory with -o, or move the file away",
            )
        };
        let mut target = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(failed)?;
        target.write_all(&file.content).map_err(failed)?;
        rows.push(FileRow {
            file: path.display().to_string(),
            bytes: file.content.len(),
            media_type: file.media_type.clone(),
        });
    }
    Ok(rows)
}

fn protocol(what: &str) -> Failure {
    Failure::of(&codes::CLI_PROTOCOL, what)
}

/// A name that stays in the directory: the server is trusted with much, but not with paths of this machine.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn file(name: &str) -> v1::ReleasedFile {
        v1::ReleasedFile {
            name: name.to_owned(),
            media_type: "text/csv".to_owned(),
            content: b"n\n1\n".to_vec(),
        }
    }

    #[test]
    fn files_stay_in_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["", "..", "../x", "/etc/x", ".ssh", "a b", "a\n"] {
            assert!(write(&[file(name)], dir.path()).is_err(), "{name:?}");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(write(&[file("output.csv")], dir.path()).unwrap().len(), 1);
        let again = write(&[file("output.csv")], dir.path()).unwrap_err();
        assert!(
            matches!(&again, Failure::Told(told) if told.what.contains("is there already") && told.hint.contains("-o")),
            "{again:?}"
        );
    }
}
