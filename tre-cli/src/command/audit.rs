//! `tre audit`: the log of everything that anyone did. It is verified without a server, and exported by one.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::codes::{LOG_BROKEN, Problem};
use tre_home::audit::{self, Entries, LogFile, LogFiles};
use tre_home::layout::Layout;
use tre_proto::v1;

use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::codes;
use crate::connect::{Remote, RemoteArgs, from_status};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Published, Shown, View, published};
use crate::shell::Shell;

/// Verify or export the audit log
///
/// The log is a Merkle tree of canonical JSON entries in files (C2SP tlog-tiles), signed at its end. Whoever has its
/// public key can verify it, with this program or another; an entry altered or dropped is found. Keep checkpoints
/// elsewhere: only they show that a log was cut back. Auditors export it from a server, with their token.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

const EXAMPLES: &str = "\
Examples:
  tre audit verify --home /srv/tre
  tre audit verify --log copy --key log.vkey --earlier checkpoint.2026-10-01
  tre audit export > entries.jsonl                         one entry a line, from the server
  tre audit export --copy copy                             the log itself, to verify elsewhere
  tre audit export --log copy > entries.jsonl              from a copy, without a server";

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Compute every hash anew and compare; exit 1 if anything was altered
    Verify {
        #[command(flatten)]
        log: LogArgs,
        /// The log's public key, or a file with it; without it, the file `vkey` beside the log
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// A checkpoint of this log that was kept elsewhere: its entries must still be the first ones
        #[arg(long, value_name = "FILE")]
        earlier: Option<PathBuf>,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Ask the server for the entries as JSON, one a line, or for the log itself
    Export {
        #[command(flatten)]
        remote: RemoteArgs,
        /// Read this directory of a log, for example a copy, and ask no server
        #[arg(long, value_name = "DIR")]
        log: Option<PathBuf>,
        /// Put the log's files into this new directory instead
        #[arg(long, value_name = "DIR", conflicts_with = "first")]
        copy: Option<PathBuf>,
        /// Begin with this entry
        #[arg(long, value_name = "N", default_value_t = 0)]
        first: u64,
    },
}

/// Which log.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
struct LogArgs {
    /// The deployment's home directory
    #[arg(long, env = "TRE_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// The log's own directory, for example a copy; wins over --home
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
}

impl LogArgs {
    fn directory(&self) -> Result<PathBuf, Failure> {
        let home = self.home.as_ref().map(|home| Layout::new(home).audit());
        let directory = self.log.clone().or(home);
        directory.ok_or_else(|| Failure::usage("no log was named", "give --home or --log"))
    }
}

/// What verification found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct VerifyReport {
    /// Whether the log is intact.
    pub(crate) intact: bool,
    /// The log's name.
    log: String,
    /// Entries verified.
    pub(crate) entries: u64,
    /// How many of them the signed checkpoint covers; the rest are signed one by one.
    checkpointed: u64,
    /// Root of the tree over the checkpointed entries, base64.
    root: String,
    /// The first thing that is not as it must be.
    fault: Option<String>,
}

impl From<audit::Report> for VerifyReport {
    fn from(report: audit::Report) -> Self {
        VerifyReport {
            intact: report.fault.is_none(),
            log: report.origin,
            entries: report.entries,
            checkpointed: report.checkpointed,
            root: report.root,
            fault: report.fault.map(|fault| fault.to_string()),
        }
    }
}

impl Shown for VerifyReport {
    const KIND: &'static str = "audit-verification";

    fn view(&self) -> View {
        let result = if self.intact {
            "intact: every entry, hash and signature agrees"
        } else {
            "ALTERED"
        };
        let mut facts = vec![
            ("log", self.log.clone()),
            ("result", result.to_owned()),
            ("entries", self.entries.to_string()),
            (
                "checkpoint",
                format!("signed over the first {}", self.checkpointed),
            ),
            ("root", self.root.clone()),
        ];
        facts.extend(self.fault.iter().map(|fault| ("fault", fault.clone())));
        View {
            facts,
            grids: Vec::new(),
        }
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<VerifyReport>()]
}

/// Verifies or exports.
pub(crate) fn run(args: AuditArgs, shell: &Shell) -> Outcome {
    match args.command {
        AuditCommand::Verify {
            log,
            key,
            earlier,
            format,
        } => {
            let directory = log.directory()?;
            let key = public_key(key.as_deref(), &directory)?;
            let earlier = earlier.map(|path| read(&path)).transpose()?;
            let report = VerifyReport::from(audit::verify(&directory, &key, earlier.as_deref()));
            shell.show(&report, format.format)?;
            match report.fault {
                None => Ok(Exit::Answered),
                Some(fault) => Err(Failure::new(
                    &LOG_BROKEN,
                    format!("the log is not what was signed: {fault}"),
                    "stop the server, keep the home as it is, and compare with the checkpoints kept elsewhere (--earlier)",
                )),
            }
        }
        AuditCommand::Export {
            remote,
            log,
            copy: Some(target),
            ..
        } => {
            match log {
                Some(directory) => {
                    let files = LogFiles::of(&directory).map_err(Problem::from)?;
                    let copy = Copy::begin(&target)?;
                    for file in files {
                        copy.keep(file.map_err(Problem::from)?)?;
                    }
                    copy.finish();
                }
                None => fetch_copy(&remote, &target, shell)?,
            }
            let target = target.display();
            shell.note(&format!(
                "copied; verify it with `tre audit verify --log {target}`"
            ));
            Ok(Exit::Answered)
        }
        AuditCommand::Export {
            remote,
            log,
            copy: None,
            first,
        } => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            match log {
                Some(directory) => {
                    for entry in Entries::new(&directory, first) {
                        print(&mut out, &entry.map_err(Problem::from)?)?;
                    }
                }
                None => fetch_entries(&remote, first, &mut out, shell)?,
            }
            out.flush()?;
            Ok(Exit::Answered)
        }
    }
}

fn print(out: &mut impl Write, entry: &[u8]) -> Result<(), Failure> {
    out.write_all(entry)?;
    Ok(out.write_all(b"\n")?)
}

/// Prints a server's entries as they come.
fn fetch_entries(
    remote: &RemoteArgs,
    first: u64,
    out: &mut impl Write,
    shell: &Shell,
) -> Result<(), Failure> {
    block_on(async {
        let remote = Remote::open(remote, shell).await?;
        let asked = v1::ExportLogRequest { first };
        let mut pieces = answer(remote.control().export_log(asked).await)?;
        while let Some(piece) = pieces.message().await.map_err(|status| from_status(&status))? {
            for entry in &piece.entries {
                print(out, entry)?;
            }
        }
        Ok(())
    })
}

/// Copies a server's log.
fn fetch_copy(remote: &RemoteArgs, target: &Path, shell: &Shell) -> Result<(), Failure> {
    block_on(async {
        let remote = Remote::open(remote, shell).await?;
        let mut pieces = answer(remote.control().copy_log(v1::CopyLogRequest {}).await)?;
        let copy = Copy::begin(target)?;
        while let Some(piece) = pieces.message().await.map_err(|status| from_status(&status))? {
            copy.keep(LogFile {
                path: piece.path,
                content: piece.content,
            })?;
        }
        copy.finish();
        Ok(())
    })
}

/// A copy that is being made; dropped before it is finished it is removed, since half a log verifies as an altered one.
struct Copy<'t> {
    target: &'t Path,
    whole: bool,
}

impl<'t> Copy<'t> {
    fn begin(target: &'t Path) -> Result<Self, Failure> {
        fs::create_dir(target).map_err(|error| Failure::file("make", target, &error))?;
        Ok(Copy { target, whole: false })
    }

    fn keep(&self, file: LogFile) -> Result<(), Failure> {
        let relative = Path::new(&file.path);
        // A server that is not what it seems must not choose where files go.
        let inside = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside || file.path.is_empty() {
            let what = format!(
                "the server sent a file `{}`, which is none of a log's",
                relative.display()
            );
            return Err(Failure::of(&codes::CLI_PROTOCOL, what));
        }
        let path = self.target.join(relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| Failure::file("make", parent, &error))?;
        }
        fs::write(&path, file.content).map_err(|error| Failure::file("write", &path, &error))
    }

    fn finish(mut self) {
        self.whole = true;
    }
}

impl Drop for Copy<'_> {
    fn drop(&mut self) {
        if !self.whole {
            // What failed before this is what the person hears.
            let _removed = fs::remove_dir_all(self.target);
        }
    }
}

/// A public key as it was given, from the file that was named, or from beside the log.
fn public_key(given: Option<&str>, directory: &Path) -> Result<String, Failure> {
    let path = match given {
        // `name+id+key`; no path that anybody keeps a key under looks like that.
        Some(key) if key.split('+').count() >= 3 && !Path::new(key).exists() => return Ok(key.to_owned()),
        Some(path) => PathBuf::from(path),
        None => directory.join("vkey"),
    };
    let text = fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
    Ok(text.trim_end().to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::file("read", path, &error))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::render::Format;
    use crate::render::tests::printed;

    #[test]
    fn an_altered_log_is_called_one() {
        let report = audit::Report {
            origin: "tre.example/audit".to_owned(),
            entries: 3,
            checkpointed: 2,
            root: "AAAA".to_owned(),
            fault: Some(audit::Fault {
                file: "tile/entries/000".to_owned(),
                position: Some(1),
                what: "differs".to_owned(),
            }),
        };
        let text = printed(&VerifyReport::from(report), Format::Table);
        assert!(
            text.contains("ALTERED") && text.contains("`tile/entries/000`, entry 1: differs"),
            "{text}"
        );
    }

    #[test]
    fn a_key_may_be_given_as_text() {
        let key = public_key(Some("tre.example/audit+1234abcd+AQID+x"), Path::new("/nowhere"));
        assert_eq!(key, Ok("tre.example/audit+1234abcd+AQID+x".to_owned()));
        assert!(public_key(None, Path::new("/nowhere")).is_err());
    }

    #[test]
    fn a_copy_stays_in_its_directory_and_half_a_copy_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let file = |path: &str| LogFile {
            path: path.to_owned(),
            content: b"x".to_vec(),
        };
        let target = place.path().join("copy");
        let copy = Copy::begin(&target).unwrap();
        copy.keep(file("tile/0/000.p/7")).unwrap();
        assert!(target.join("tile/0/000.p/7").is_file());
        for outside in ["../vkey", "/tmp/vkey", "tile/../../vkey", "", "."] {
            assert!(copy.keep(file(outside)).is_err(), "{outside}");
        }
        drop(copy);
        assert!(!target.exists());
        Copy::begin(&target).unwrap().finish();
        assert!(target.is_dir());
        assert!(Copy::begin(&target).is_err(), "what is there is not overwritten");
    }
}
