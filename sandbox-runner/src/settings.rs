//! What a jail is called, what it may use, and what is tolerated when the host cannot enforce a part of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::report::{IDENTITY, MEASURES};

const MIB: u64 = 1 << 20;

/// Why settings were refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
    /// The kind is part of a process title and of a command line.
    #[error("`{0}` is no kind of jail: use 1 to 16 lower-case letters, and not `jail`")]
    Kind(String),
    /// The session is part of a process title and of a command line.
    #[error("`{0}` is no session title: use 1 to 64 letters, digits, `_` and `-`, not beginning with `-`")]
    Session(String),
    /// A worker never has number 0, in any namespace; `u32::MAX` means "unchanged" to the kernel.
    #[error("user {uid}, group {gid} is nobody a worker may be: name an unprivileged user and group")]
    RunAs {
        /// The user's number.
        uid: u32,
        /// The group's number.
        gid: u32,
    },
    /// Only a name of [`MEASURES`] can be tolerated.
    #[error("`{0}` is no measure of the jail: `tre doctor` lists them")]
    Measure(String),
    /// What nobody may switch off.
    #[error("`{0}` is never optional: remove it from the tolerated measures")]
    NeverOptional(String),
    /// A bind needs two absolute paths without `..`, and a place inside that is not the root.
    #[error("cannot show `{outside}` as `{inside}`: both must be absolute, without `..`, and not `/`")]
    Bind {
        /// The host's path.
        outside: PathBuf,
        /// The path in the jail.
        inside: PathBuf,
    },
}

/// The two words by which `ps` shows a worker: `tre KIND SESSION`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    kind: String,
    session: String,
}

impl Title {
    /// Checks both words.
    pub fn new(kind: &str, session: &str) -> Result<Self, SettingsError> {
        let letters = kind.bytes().all(|b| b.is_ascii_lowercase());
        if !letters || kind.is_empty() || kind.len() > 16 || kind == "jail" {
            return Err(SettingsError::Kind(kind.to_owned()));
        }
        let plain = session
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !plain || session.is_empty() || session.len() > 64 || session.starts_with('-') {
            return Err(SettingsError::Session(session.to_owned()));
        }
        Ok(Self {
            kind: kind.to_owned(),
            session: session.to_owned(),
        })
    }

    /// The first word, for example `desk`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The second word, for example `ses_x`.
    pub fn session(&self) -> &str {
        &self.session
    }
}

/// Whom a worker becomes when the server runs as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAs {
    uid: u32,
    gid: u32,
}

impl RunAs {
    /// Refuses root.
    pub fn new(uid: u32, gid: u32) -> Result<Self, SettingsError> {
        let impossible = [0, u32::MAX];
        if impossible.contains(&uid) || impossible.contains(&gid) {
            return Err(SettingsError::RunAs { uid, gid });
        }
        Ok(Self { uid, gid })
    }

    /// The user's number.
    pub fn uid(self) -> u32 {
        self.uid
    }

    /// The group's number.
    pub fn gid(self) -> u32 {
        self.gid
    }
}

/// A file or directory of the host, shown read-only and without execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bind {
    pub(crate) outside: PathBuf,
    pub(crate) inside: PathBuf,
}

/// A jail's settings. A limit above the server's own hard limit becomes that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jail {
    title: Title,
    /// Address space in bytes (RLIMIT_AS): heap, stacks, mapped files and the program itself. Default 1 GiB.
    pub memory_bytes: u64,
    /// CPU time in seconds of all threads together, over the worker's whole life; then SIGKILL. Default: no limit.
    pub cpu_seconds: Option<u64>,
    /// Open file descriptors. Default 256.
    pub open_files: u64,
    /// Threads and processes together, the worker's first thread included. Default 64.
    pub processes: u64,
    /// Size in bytes of a `/tmp` in memory, on which nothing can be executed; 0, the default: no `/tmp`.
    pub temporary_bytes: u64,
    pub(crate) binds: Vec<Bind>,
    pub(crate) run_as: Option<RunAs>,
    pub(crate) tolerated: BTreeSet<String>,
}

impl Jail {
    /// A jail with the default limits, titled `tre KIND SESSION`.
    pub fn new(kind: &str, session: &str) -> Result<Self, SettingsError> {
        Ok(Self {
            title: Title::new(kind, session)?,
            memory_bytes: 1024 * MIB,
            cpu_seconds: None,
            open_files: 256,
            processes: 64,
            temporary_bytes: 0,
            binds: Vec::new(),
            run_as: None,
            tolerated: BTreeSet::new(),
        })
    }

    /// The worker's title.
    pub fn title(&self) -> &Title {
        &self.title
    }

    /// Whom the worker becomes when the server is root; without it a root server's worker is refused. A server that
    /// is not root cannot change users: its workers keep its own, and this is ignored.
    #[must_use]
    pub fn run_as(mut self, run_as: RunAs) -> Self {
        self.run_as = Some(run_as);
        self
    }

    /// Runs even if the host cannot enforce `measure` (a name of [`MEASURES`]); the report says so.
    pub fn tolerate(mut self, measure: &str) -> Result<Self, SettingsError> {
        if measure == IDENTITY {
            return Err(SettingsError::NeverOptional(measure.to_owned()));
        }
        if !MEASURES.contains(&measure) {
            return Err(SettingsError::Measure(measure.to_owned()));
        }
        self.tolerated.insert(measure.to_owned());
        Ok(self)
    }

    /// Shows the host's `outside` (file or directory, with the mounts below it) as `inside`, read-only.
    pub fn show(mut self, outside: PathBuf, inside: PathBuf) -> Result<Self, SettingsError> {
        let plain = |path: &std::path::Path| {
            let dotted = path
                .components()
                .any(|part| matches!(part, std::path::Component::ParentDir));
            path.is_absolute() && path.parent().is_some() && !dotted
        };
        if !plain(&outside) || !plain(&inside) {
            return Err(SettingsError::Bind { outside, inside });
        }
        self.binds.push(Bind { outside, inside });
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn titles_are_two_plain_words() {
        for (kind, session) in [
            ("desk", "ses_x"),
            ("data", "ses_abcdefgh23456789"),
            ("probe", "A-1"),
        ] {
            assert!(Title::new(kind, session).is_ok(), "{kind} {session}");
        }
        let long = "x".repeat(65);
        for (kind, session) in [
            ("", "ses_x"),
            ("jail", "ses_x"),
            ("Desk", "ses_x"),
            ("de sk", "ses_x"),
            ("abcdefghijklmnopq", "ses_x"),
            ("desk", ""),
            ("desk", "-v"),
            ("desk", "a b"),
            ("desk", "a\nb"),
            ("desk", "é"),
            ("desk", &long),
        ] {
            assert!(Title::new(kind, session).is_err(), "{kind:?} {session:?}");
        }
    }

    #[test]
    fn root_is_nobody_a_worker_may_be() {
        for (uid, gid) in [(0, 0), (0, 1), (1, 0), (u32::MAX, 1), (1, u32::MAX)] {
            assert_eq!(RunAs::new(uid, gid), Err(SettingsError::RunAs { uid, gid }));
        }
        assert_eq!(RunAs::new(20001, 20002).unwrap().gid(), 20002);
    }

    #[test]
    fn only_known_measures_can_be_tolerated() {
        let jail = Jail::new("desk", "ses_x").unwrap();
        assert!(jail.clone().tolerate("landlock-scopes").is_ok());
        assert_eq!(
            jail.clone().tolerate("landlok"),
            Err(SettingsError::Measure("landlok".into()))
        );
        assert_eq!(
            jail.tolerate(IDENTITY),
            Err(SettingsError::NeverOptional(IDENTITY.into()))
        );
    }

    #[test]
    fn binds_are_absolute_and_never_the_root() {
        let show = |outside: &str, inside: &str| {
            Jail::new("desk", "ses_x")
                .unwrap()
                .show(outside.into(), inside.into())
                .is_ok()
        };
        assert!(show("/usr/share/zoneinfo", "/zones"));
        for (outside, inside) in [
            ("/", "/x"),
            ("/x", "/"),
            ("x", "/x"),
            ("/x", "x"),
            ("/x/../y", "/x"),
            ("/x", "/a/.."),
        ] {
            assert!(!show(outside, inside), "{outside} {inside}");
        }
    }
}
