//! `tre audit`: the log of everything that anyone did, verified and exported without a server.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::codes::{LOG_BROKEN, Problem};
use tre_home::audit::{self, Entries};
use tre_home::layout::Layout;

use crate::args::FormatArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Published, Shown, View, published};
use crate::shell::Shell;

/// Verify or export the audit log
///
/// The log is a Merkle tree of canonical JSON entries in files (C2SP tlog-tiles), signed at its end. Whoever has its
/// public key can verify it, with this program or another; an entry altered or dropped is found. Keep checkpoints
/// elsewhere: only they show that a log was cut back.
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
  tre audit export --home /srv/tre > entries.jsonl         one entry a line
  tre audit export --home /srv/tre --copy copy             the log itself, to verify elsewhere";

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
    /// Print the entries as JSON, one a line, or copy the log
    Export {
        #[command(flatten)]
        log: LogArgs,
        /// Copy the log's files into this new directory instead
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
            log,
            copy: Some(target),
            ..
        } => {
            let directory = log.directory()?;
            copy_log(&directory, &target)?;
            let target = target.display();
            shell.note(&format!(
                "copied; verify it with `tre audit verify --log {target}`"
            ));
            Ok(Exit::Answered)
        }
        AuditCommand::Export {
            log,
            copy: None,
            first,
        } => {
            let directory = log.directory()?;
            let mut out = BufWriter::new(std::io::stdout().lock());
            for entry in Entries::new(&directory, first) {
                out.write_all(&entry.map_err(Problem::from)?)?;
                out.write_all(b"\n")?;
            }
            out.flush()?;
            Ok(Exit::Answered)
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

/// A server that is at work moves the end of its log while it is copied; then the copy is made anew.
const TRIES: u32 = 20;

/// Copies the files of a log to a new directory, as they are at one moment.
fn copy_log(from: &Path, to: &Path) -> Result<(), Failure> {
    let end =
        || -> Result<_, Failure> { Ok((read(&from.join("checkpoint"))?, read(&from.join("pending"))?)) };
    fs::create_dir(to).map_err(|error| Failure::file("make", to, &error))?;
    for _try in 0..TRIES {
        let before = end()?;
        let copied = copy_files(from, to);
        if end()? == before {
            return copied;
        }
        fs::remove_dir_all(to).map_err(|error| Failure::file("remove", to, &error))?;
        fs::create_dir(to).map_err(|error| Failure::file("make", to, &error))?;
    }
    Err(Failure::new(
        &crate::codes::CLI_FILE,
        "the log grew faster than it could be copied",
        "try again when less is going on",
    ))
}

fn copy_files(from: &Path, to: &Path) -> Result<(), Failure> {
    for entry in fs::read_dir(from).map_err(|error| Failure::file("read", from, &error))? {
        let entry = entry.map_err(|error| Failure::file("read", from, &error))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            fs::create_dir(&target).map_err(|error| Failure::file("make", &target, &error))?;
            copy_files(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(|error| Failure::file("copy", &source, &error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
}
