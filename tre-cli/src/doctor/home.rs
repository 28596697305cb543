//! Whether a home is as it must be: modes, lock, keys, versions, log, store, certificate, room on the disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nix::sys::statvfs::statvfs;
use tre_core::codes::Problem;
use tre_home::audit::{self, Entries};
use tre_home::lock::LockError;
use tre_home::{Home, HomeFiles, OpenError};

use super::{CheckRow, State};

/// Less room than this fails: the log could not be written, and then nothing is served.
const ROOM_NEEDED: u64 = 256 << 20;

/// Less room than this is worth a warning.
const ROOM_WISHED: u64 = 4 << 30;

/// Looks at a home whose settings and keys could be read.
pub(crate) fn checks(files: &HomeFiles, now: Timestamp) -> Vec<CheckRow> {
    let layout = files.layout();
    let mut rows = vec![CheckRow::ok(
        "home",
        "settings and keys",
        layout.root().display().to_string(),
    )];
    rows.extend(modes(files));
    rows.push(limits(files));
    rows.push(room(layout.root()));
    rows.extend(certificate(files));
    rows.extend(versions(files));
    rows.push(log(files));
    rows.push(log_time(files, now));
    rows.extend(lock_and_store(layout.root()));
    rows
}

/// What a project may use whose permit does not say.
fn limits(files: &HomeFiles) -> CheckRow {
    let limits = &files.config().limits;
    CheckRow::ok(
        "home",
        "limits",
        format!(
            "where a permit names none: memory {}, {} seconds a query, {} sessions",
            limits.memory, limits.query_seconds, limits.sessions
        ),
    )
}

/// Directories with secrets are their owner's alone, and belong to whoever runs this.
fn modes(files: &HomeFiles) -> Vec<CheckRow> {
    let layout = files.layout();
    let private = [
        layout.vault(),
        layout.tls(),
        layout.store(),
        layout.audit(),
        layout.run(),
    ];
    private.into_iter().map(|path| mode(&path)).collect()
}

fn mode(path: &Path) -> CheckRow {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let check = format!("modes of {name}/");
    let mut wide = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(found) = fs::symlink_metadata(&path) else {
            continue;
        };
        if found.mode() & 0o077 != 0 && !found.is_symlink() && !is_socket(&found) {
            wide.push(path.clone());
        }
        if found.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.path()),
            );
        }
    }
    match first(wide) {
        None => CheckRow::ok("home", check, "open to their owner only"),
        Some((path, others)) => CheckRow::fail(
            "home",
            check,
            format!("`{}` is open to others{others}", path.display()),
        )
        .fix(format!(
            "chmod -R go-rwx {}, and consider the keys as known",
            path.display()
        )),
    }
}

fn is_socket(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    found.file_type().is_socket()
}

/// The first of several, and how many more there are, in words.
fn first(paths: Vec<PathBuf>) -> Option<(PathBuf, String)> {
    let more = paths.len().saturating_sub(1);
    let others = if more == 0 {
        String::new()
    } else {
        format!(", and {more} more")
    };
    paths.into_iter().next().map(|path| (path, others))
}

fn room(root: &Path) -> CheckRow {
    match statvfs(root) {
        Ok(found) => {
            let free = found.blocks_available().saturating_mul(found.fragment_size());
            let text = format!("{} MiB free", free >> 20);
            let state = match free {
                free if free < ROOM_NEEDED => State::Fail,
                free if free < ROOM_WISHED => State::Warn,
                _enough => State::Ok,
            };
            let row = CheckRow::new("home", "disk", state, text);
            if state == State::Ok {
                row
            } else {
                row.fix("make room: without it the log cannot be written")
            }
        }
        Err(error) => CheckRow::fail("home", "disk", format!("cannot be looked at: {error}")),
    }
}

fn certificate(files: &HomeFiles) -> Vec<CheckRow> {
    let Some(tls) = &files.config().tls else {
        let loopback = files.config().listen.ip().is_loopback();
        let found = "not configured: plaintext, on loopback only";
        return vec![if loopback {
            CheckRow::ok("tls", "certificate", found)
        } else {
            CheckRow::fail("tls", "certificate", found).fix("set [tls] in tre.toml, or listen on 127.0.0.1")
        }];
    };
    let root = files.layout().root();
    [
        ("certificate", &tls.cert, "CERTIFICATE"),
        ("key", &tls.key, "PRIVATE KEY"),
    ]
    .into_iter()
    .map(|(check, path, label)| pem(check, &root.join(path), label))
    .collect()
}

fn pem(check: &'static str, path: &Path, label: &str) -> CheckRow {
    let fix = format!("put a PEM file at `{}`", path.display());
    match fs::read_to_string(path) {
        Ok(text) if text.contains(&format!("{label}-----")) => {
            CheckRow::ok("tls", check, path.display().to_string())
        }
        Ok(_) => CheckRow::fail(
            "tls",
            check,
            format!("`{}` is not what it must be", path.display()),
        )
        .fix(fix),
        Err(error) => CheckRow::fail("tls", check, crate::exit::plain(&error)).fix(fix),
    }
}

/// Every file of every version, read through and compared with its manifest.
fn versions(files: &HomeFiles) -> Vec<CheckRow> {
    let catalogue = files.catalogue();
    let failed = |problem: Problem| CheckRow::fail("data", "versions", problem.what).fix(problem.hint);
    let datasets = match catalogue.datasets() {
        Ok(datasets) if datasets.is_empty() => return vec![CheckRow::ok("data", "versions", "none yet")],
        Ok(datasets) => datasets,
        Err(error) => return vec![failed(error.into())],
    };
    let mut rows = Vec::new();
    for version in datasets
        .iter()
        .flat_map(|dataset| catalogue.versions(dataset).unwrap_or_default())
    {
        rows.push(match catalogue.verify(&version) {
            Ok(faults) if faults.is_empty() => {
                CheckRow::ok("data", version.to_string(), "every file as published")
            }
            Ok(faults) => CheckRow::fail("data", version.to_string(), faults.join("; "))
                .fix("restore the version from the backup or ingest it again"),
            Err(error) => failed(error.into()),
        });
    }
    rows
}

fn log(files: &HomeFiles) -> CheckRow {
    let directory = files.layout().audit();
    let key = fs::read_to_string(directory.join("vkey")).unwrap_or_default();
    let report = audit::verify(&directory, &key, None);
    match report.fault {
        None => CheckRow::ok(
            "log",
            "hashes and signatures",
            format!("{} entries", report.entries),
        ),
        Some(fault) => CheckRow::fail("log", "hashes and signatures", fault.to_string())
            .fix("keep the home as it is and compare with checkpoints kept elsewhere"),
    }
}

/// Time must not run backwards: the last entry cannot be younger than now.
fn log_time(files: &HomeFiles, now: Timestamp) -> CheckRow {
    let last = Entries::new(&files.layout().audit(), 0)
        .map_while(Result::ok)
        .last();
    let time = last
        .and_then(|entry| serde_json::from_slice::<serde_json::Value>(&entry).ok())
        .and_then(|entry| entry.get("time")?.as_i64())
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
    match time {
        Some(time) if time > now => CheckRow::fail(
            "log",
            "time",
            "the last entry is younger than this machine's clock",
        )
        .fix("set the clock"),
        Some(time) => CheckRow::ok(
            "log",
            "time",
            format!("last entry {}", time.strftime("%Y-%m-%dT%H:%M:%SZ")),
        ),
        None => CheckRow::new("log", "time", State::Warn, "the last entry does not say"),
    }
}

/// The store can only be read by the process that holds the home; a server that runs does that.
fn lock_and_store(root: &Path) -> Vec<CheckRow> {
    match Home::open(root, "tre doctor") {
        Ok(home) => vec![CheckRow::ok("home", "lock", "free: no server runs"), store(&home)],
        Err(OpenError::Lock(LockError::Held { holder })) => vec![
            CheckRow::ok("home", "lock", format!("held by {holder}")),
            CheckRow::new("home", "store", State::Skipped, "in use")
                .fix("run this again when no server runs"),
        ],
        Err(error) => {
            let problem = Problem::from(error);
            vec![CheckRow::fail("home", "lock", problem.what).fix(problem.hint)]
        }
    }
}

fn store(home: &Home) -> CheckRow {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let faults = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        runtime.block_on(async {
            let store = home.store().await.map_err(|error| error.to_string())?;
            let faults = store.integrity().await.map_err(|error| error.to_string())?;
            let ledger = store.ledger();
            let read = ledger.read(home.vault(), drop).await;
            read.map_err(|error| error.to_string())?;
            Ok(faults)
        })
    });
    let fix = "restore store/ from the backup";
    match faults {
        Ok(faults) if faults.is_empty() => CheckRow::ok("home", "store", "sound"),
        Ok(faults) => CheckRow::fail("home", "store", faults.join("; ")).fix(fix),
        Err(error) => CheckRow::fail("home", "store", error).fix(fix),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_that_others_can_read_is_found() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let key = dir.path().join("key");
        fs::write(&key, "x").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(mode(dir.path()).state, State::Ok);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(mode(dir.path()).state, State::Fail);
    }

    #[test]
    fn a_pem_file_is_known_by_its_label() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        assert_eq!(pem("key", &path, "PRIVATE KEY").state, State::Fail);
        fs::write(&path, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        assert_eq!(pem("key", &path, "PRIVATE KEY").state, State::Ok);
    }
}
