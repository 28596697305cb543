//! The shape of an entry: an event in the classes of OCSF.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Actor, EXTENSION_VERSION, Event, OCSF_VERSION};
use crate::ids::UserName;

/// Number that OCSF asks of an extension; 900 to 999 are left to private ones.
const EXTENSION_UID: &str = "998";

/// How it went, as OCSF numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Success,
    Failure,
    /// Neither: it is for people to decide.
    Other,
}

/// An OCSF class (`uid`, its category is the first digit) with the activity in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Class {
    uid: u32,
    activity: u32,
    status: Status,
}

const PROCESS: u32 = 1007; // 1 launch, 2 terminate
const AUTHENTICATION: u32 = 3002; // 1 logon, 2 logoff, 3 ticket
const LIFECYCLE: u32 = 6002; // 3 start, 4 stop
const API: u32 = 6003; // 1 create, 2 read, 3 update, 4 delete
const DATASTORE: u32 = 6005; // 1 read, 4 query, 5 write
const OTHER: u32 = 99;

impl Event {
    fn class(&self) -> Class {
        use Status::{Failure, Other, Success};
        let (uid, activity, status) = match self {
            Event::HomeInitialised { .. } => (API, 1, Success),
            Event::DatasetIngested { .. } | Event::DatasetUnchanged { .. } => (DATASTORE, 5, Success),
            Event::DatasetRefused { .. } => (DATASTORE, 5, Failure),
            Event::ProjectApplied { created: true, .. } => (API, 1, Success),
            Event::ProjectApplied { created: false, .. } => (API, 3, Success),
            Event::ProjectRefused { .. } => (API, 3, Failure),
            Event::ProjectClosed { .. } => (API, 4, Success),
            Event::TokenIssued { .. } => (AUTHENTICATION, 3, Success),
            Event::TokenRevoked { .. } => (API, 4, Success),
            Event::TokenRefused { .. } => (AUTHENTICATION, 1, Failure),
            Event::SessionOpened { .. } => (AUTHENTICATION, 1, Success),
            Event::SessionClosed { .. } => (AUTHENTICATION, 2, Success),
            Event::QueryPlanned { .. } | Event::QueryAnswered { .. } => (DATASTORE, 4, Success),
            Event::Checked { .. } | Event::RewritesTried { .. } => (DATASTORE, 4, Success),
            Event::QueryRefused { .. } | Event::QueryWithheld { .. } | Event::QueryFailed { .. } => {
                (DATASTORE, 4, Failure)
            }
            Event::QueryReferred { .. } => (DATASTORE, 4, Other),
            Event::RequestSubmitted { .. } => (API, 1, Success),
            Event::RequestMoved { .. } | Event::ReviewVoted { .. } => (API, 3, Success),
            Event::Released { .. } => (API, 1, Success),
            Event::ReviewShown { .. } | Event::ReleaseFetched { .. } | Event::LogExported { .. } => {
                (DATASTORE, 1, Success)
            }
            Event::WorkerStarted { .. } => (PROCESS, 1, Success),
            Event::WorkerKilled { .. } => (PROCESS, 2, Success),
            Event::ServerStarted { .. } => (LIFECYCLE, 3, Success),
            Event::ServerStopped { .. } => (LIFECYCLE, 4, Success),
            Event::ControlRefused { .. } => (API, OTHER, Failure),
        };
        Class {
            uid,
            activity,
            status,
        }
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    activity_id: u32,
    actor: OcsfActor,
    category_uid: u32,
    class_uid: u32,
    metadata: Metadata,
    severity_id: u32,
    status_id: u32,
    time: i64,
    type_uid: u32,
    tre: Extension,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OcsfActor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<Uid>,
    user: OcsfUser,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OcsfUser {
    name: UserName,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Uid {
    uid: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Metadata {
    extensions: Vec<ExtensionName>,
    product: Product,
    sequence: u64,
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ExtensionName {
    name: String,
    uid: String,
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Product {
    name: String,
    vendor_name: String,
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Extension {
    actor: Actor,
    at: Timestamp,
    what: Event,
}

impl Entry {
    /// Shapes an event into an entry.
    ///
    /// `sequence` is the entry's index in the log, `version` that of the program that writes it.
    pub fn new(sequence: u64, now: Timestamp, version: &str, actor: Actor, event: Event) -> Self {
        let Class {
            uid,
            activity,
            status,
        } = event.class();
        let (severity_id, status_id) = match status {
            Status::Success => (1, 1), // informational
            Status::Failure => (2, 2), // low: a refusal is the system at work
            Status::Other => (1, OTHER),
        };
        Entry {
            activity_id: activity,
            actor: OcsfActor {
                session: actor.session.as_ref().map(|id| Uid { uid: id.to_string() }),
                user: OcsfUser {
                    name: actor.user.clone(),
                },
            },
            category_uid: uid / 1000,
            class_uid: uid,
            metadata: Metadata {
                extensions: vec![ExtensionName {
                    name: "tre".to_owned(),
                    uid: EXTENSION_UID.to_owned(),
                    version: EXTENSION_VERSION.to_owned(),
                }],
                product: Product {
                    name: "tre".to_owned(),
                    vendor_name: "tre".to_owned(),
                    version: version.to_owned(),
                },
                sequence,
                version: OCSF_VERSION.to_owned(),
            },
            severity_id,
            status_id,
            time: now.as_millisecond(),
            type_uid: uid * 100 + activity,
            tre: Extension {
                actor,
                at: now,
                what: event,
            },
        }
    }

    /// Index in the log.
    pub fn sequence(&self) -> u64 {
        self.metadata.sequence
    }

    /// When it was written.
    pub fn at(&self) -> Timestamp {
        self.tre.at
    }

    /// Who did it.
    pub fn actor(&self) -> &Actor {
        &self.tre.actor
    }

    /// What happened.
    pub fn event(&self) -> &Event {
        &self.tre.what
    }
}
