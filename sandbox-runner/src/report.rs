//! What a jail enforces: one line per measure, sent by the worker before anything else and shown by `tre doctor`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The measure that no setting can waive: an unprivileged user and group, never number 0.
pub const IDENTITY: &str = "identity";
pub(crate) const PROCESS_NAMESPACE: &str = "process-namespace";
pub(crate) const USER_NAMESPACE: &str = "user-namespace";
pub(crate) const MOUNT_NAMESPACE: &str = "mount-namespace";
pub(crate) const NETWORK_NAMESPACE: &str = "network-namespace";
pub(crate) const IPC_NAMESPACE: &str = "ipc-namespace";
pub(crate) const HOST_NAME: &str = "host-name";
pub(crate) const NO_MORE_NAMESPACES: &str = "no-more-namespaces";
pub(crate) const EMPTY_ROOT: &str = "empty-root";
pub(crate) const SESSION: &str = "session";
pub(crate) const DESCRIPTORS: &str = "descriptors";
pub(crate) const LIMITS: &str = "limits";
pub(crate) const CAPABILITIES: &str = "capabilities";
pub(crate) const NO_NEW_PRIVILEGES: &str = "no-new-privileges";
pub(crate) const NOT_DUMPABLE: &str = "not-dumpable";
pub(crate) const LANDLOCK_FILES: &str = "landlock-files";
pub(crate) const LANDLOCK_NETWORK: &str = "landlock-network";
pub(crate) const LANDLOCK_SCOPES: &str = "landlock-scopes";
pub(crate) const DIES_WITH_PARENT: &str = "dies-with-parent";
const SECCOMP: &str = "seccomp";
const CGROUP: &str = "cgroup";

/// The names of all measures that this version takes, in the order in which a jail takes them.
pub const MEASURES: &[&str] = &[
    IDENTITY,
    DESCRIPTORS,
    SESSION,
    PROCESS_NAMESPACE,
    USER_NAMESPACE,
    MOUNT_NAMESPACE,
    NETWORK_NAMESPACE,
    IPC_NAMESPACE,
    HOST_NAME,
    NO_MORE_NAMESPACES,
    EMPTY_ROOT,
    LIMITS,
    CAPABILITIES,
    NO_NEW_PRIVILEGES,
    NOT_DUMPABLE,
    LANDLOCK_FILES,
    LANDLOCK_NETWORK,
    LANDLOCK_SCOPES,
    DIES_WITH_PARENT,
];

/// Whether a measure holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The kernel enforces it.
    Enforced,
    /// The host could not, and the settings tolerate that.
    NotEnforced,
    /// This version of the program does not have it.
    Absent,
}

/// One measure of one jail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// A name of [`MEASURES`], or that of a measure which is absent.
    pub name: String,
    /// Whether it holds.
    pub state: State,
    /// How it is enforced, or why it is not.
    pub detail: String,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Enforced => "",
            State::NotEnforced => "NOT ENFORCED: ",
            State::Absent => "absent: ",
        };
        write!(f, "{}: {state}{}", self.name, self.detail)
    }
}

/// All measures of one jail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// In the order in which they were taken.
    pub measures: Vec<Measure>,
}

impl Report {
    pub(crate) fn begin() -> Self {
        Self { measures: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: &str, state: State, detail: impl Into<String>) {
        self.measures.push(Measure {
            name: name.to_owned(),
            state,
            detail: detail.into(),
        });
    }

    /// Names what is left to a later version, so that a reader of the report does not take it for granted.
    pub(crate) fn complete(&mut self) {
        for name in [SECCOMP, CGROUP] {
            self.add(name, State::Absent, "not in this version");
        }
    }

    /// The measure of that name.
    pub fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }

    /// Whether every measure of this version holds.
    pub fn is_complete(&self) -> bool {
        MEASURES.iter().all(|name| {
            self.measure(name)
                .is_some_and(|measure| measure.state == State::Enforced)
        })
    }
}

/// A measure that could not be enforced and is not tolerated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the jail's measure `{name}` cannot be enforced on this host: {why}")]
pub struct Refusal {
    /// A name of [`MEASURES`], or the step that failed.
    pub name: String,
    /// What the host said.
    pub why: String,
}

/// What the server hears of a jail before it can be used.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hello {
    /// From the launcher: the worker's process exists; its pidfd comes with this frame. The worker speaks only after
    /// the server has answered this with its settings, so the two never write at once.
    Started,
    /// From the worker: it is shut in.
    Ready(Report),
    /// There will be no worker.
    Refused(Refusal),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_complete_only_when_every_measure_holds() {
        let mut report = Report::begin();
        for name in MEASURES {
            assert!(!report.is_complete());
            report.add(name, State::Enforced, "so");
        }
        report.complete();
        assert!(report.is_complete());
        report.measures.iter_mut().for_each(|measure| {
            if measure.name == LANDLOCK_SCOPES {
                measure.state = State::NotEnforced;
            }
        });
        assert!(!report.is_complete());
    }

    #[test]
    fn what_this_version_lacks_is_said() {
        let mut report = Report::begin();
        report.complete();
        let lines: Vec<String> = report.measures.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "seccomp: absent: not in this version",
                "cgroup: absent: not in this version"
            ]
        );
    }
}
