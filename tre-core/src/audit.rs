//! What is remembered: one entry per thing that anyone did.
//!
//! An entry follows the Open Cybersecurity Schema Framework (OCSF 1.6, schema.ocsf.io), which security tools read without
//! us, and says in the extension object `tre` what happened in the words of this system. The shell numbers entries,
//! stamps the time, brings them into canonical JSON (RFC 8785) and appends them to a Merkle log; here is only their shape.
//!
//! Numbers stay below 2^53, since canonical JSON writes them as IEEE doubles. Nothing here comes from data: names,
//! ids, hashes, counts of tables and rows of whole versions, constants. SQL text is present as its hash and, for
//! those who hold the vault, sealed.

mod entry;

pub use entry::Entry;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{
    DatasetName, PolicyId, PopulationName, ProjectId, QueryId, ReleaseId, RequestId, SessionId, TokenId,
    UserName, VersionId,
};
use crate::permit::Role;

/// Version of the extension object `tre`.
pub const EXTENSION_VERSION: &str = "1";

/// Version of OCSF that the classes and activities are taken from.
pub const OCSF_VERSION: &str = "1.6.0";

/// Who did it, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// As the token names them, `local:<os user>`, or [`Actor::SYSTEM`].
    pub user: UserName,
    /// The role in which they acted; none for commands that work on the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The project of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

impl Actor {
    /// Name under which the server acts for nobody: time-outs, the end of a permit, its own start and stop.
    pub const SYSTEM: &str = "tre:system";

    /// Somebody of whom only the name is known.
    pub fn user(user: UserName) -> Self {
        Actor {
            user,
            role: None,
            project: None,
            token: None,
            session: None,
        }
    }
}

/// A policy as it was pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyStamp {
    /// Its id.
    pub id: PolicyId,
    /// SHA-256 of the file's bytes, lower-case hex.
    pub sha256: String,
}

/// Which of a session's two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerKind {
    /// The one without data.
    Desk,
    /// The one with the permitted files.
    Data,
}

/// What happened. Hashes are SHA-256 in lower-case hex; codes are those of [`crate::codes`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the fields say what they are; the exceptions are documented"
)]
pub enum Event {
    /// A deployment begins; always entry 0.
    HomeInitialised {
        name: String,
        origin: String,
        policies: Vec<PolicyStamp>,
    },

    /// A version is about to be published.
    DatasetIngested {
        version: VersionId,
        population: PopulationName,
        tables: u32,
        rows: u64,
        rejected: u64,
        manifest_sha256: String,
    },
    /// The holder's files gave a version that is there already; nothing is published.
    DatasetUnchanged { version: VersionId },
    /// An ingest was refused or failed and left nothing.
    DatasetRefused {
        /// As far as the spec could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dataset: Option<DatasetName>,
        code: String,
    },

    /// A permit comes into force or replaces the project's earlier one.
    ProjectApplied {
        project: ProjectId,
        created: bool,
        permit_sha256: String,
        grant_sha256: String,
        versions: Vec<VersionId>,
        policies: Vec<PolicyStamp>,
        /// Hash of the wrapped pseudonym key, so that its destruction can be shown.
        pseudonym_key_sha256: String,
    },
    /// A permit was refused.
    ProjectRefused {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        project: Option<ProjectId>,
        code: String,
    },
    /// A project ends: its key, workspace and drafts are about to be destroyed.
    ProjectClosed {
        project: ProjectId,
        reason: String,
        pseudonym_key_sha256: String,
    },

    /// A token was signed.
    TokenIssued {
        token: TokenId,
        user: UserName,
        role: Role,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        project: Option<ProjectId>,
        expires: Timestamp,
    },
    /// A token and the session on it end.
    TokenRevoked { token: TokenId },
    /// Somebody came with a token that is not good.
    TokenRefused {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<TokenId>,
        code: String,
    },

    /// First call with a token.
    SessionOpened {
        session: SessionId,
        token: TokenId,
        project: ProjectId,
    },
    /// A session ends.
    SessionClosed { session: SessionId, reason: String },

    /// SQL arrived and was planned; no data were read yet.
    QueryPlanned {
        query: QueryId,
        session: SessionId,
        project: ProjectId,
        sql_sha256: String,
        /// The text, sealed by the vault, in base64; absent where it is too long for an entry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sql_sealed: Option<String>,
        /// Hash of the algebra that the desk lowered it to.
        algebra_sha256: String,
    },
    /// SQL was refused before any data were read.
    QueryRefused {
        query: QueryId,
        session: SessionId,
        project: ProjectId,
        sql_sha256: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sql_sealed: Option<String>,
        code: String,
    },
    /// An answer is about to leave.
    QueryAnswered {
        query: QueryId,
        session: SessionId,
        project: ProjectId,
        policy: PolicyStamp,
        versions: Vec<VersionId>,
        rows: u64,
        output_sha256: String,
        record_sha256: String,
    },
    /// Nothing leaves.
    QueryWithheld {
        query: QueryId,
        session: SessionId,
        project: ProjectId,
        codes: Vec<String>,
    },
    /// People must decide.
    QueryReferred {
        query: QueryId,
        session: SessionId,
        project: ProjectId,
        codes: Vec<String>,
    },
    /// The query failed. The analyst hears a constant; `detail` is for operators and auditors.
    QueryFailed {
        query: QueryId,
        session: SessionId,
        project: ProjectId,
        code: String,
        detail: String,
    },
    /// `tre check`: decision and reasons are about to leave, without values.
    Checked {
        query: QueryId,
        session: SessionId,
        project: ProjectId,
        policy: PolicyStamp,
        /// `release`, `refer` or `withhold`.
        decision: String,
        codes: Vec<String>,
    },

    /// An analyst wishes for a release; the bytes are frozen.
    RequestSubmitted {
        request: RequestId,
        project: ProjectId,
        exit: String,
        sql_sha256: String,
        output_sha256: String,
        record_sha256: String,
    },
    /// A request goes from one state to another.
    RequestMoved {
        request: RequestId,
        project: ProjectId,
        from: String,
        to: String,
    },
    /// Rewrites of a request's query were tried on the same data, for its reviewers alone; they and the evidence are kept.
    RewritesTried {
        request: RequestId,
        query: QueryId,
        session: SessionId,
        project: ProjectId,
        tried: u32,
        insight_sha256: String,
    },
    /// The frozen bytes, the evidence behind them and what became of rewrites are about to be shown to a checker.
    ReviewShown {
        request: RequestId,
        project: ProjectId,
        output_sha256: String,
        /// Absent where nothing is kept of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        insight_sha256: Option<String>,
    },
    /// A checker decides.
    ReviewVoted {
        request: RequestId,
        project: ProjectId,
        vote: String,
        output_sha256: String,
    },
    /// A file is about to become available.
    Released {
        release: ReleaseId,
        request: RequestId,
        project: ProjectId,
        output_sha256: String,
        record_sha256: String,
        reviewers: Vec<UserName>,
    },
    /// A released file is about to be sent.
    ReleaseFetched {
        release: ReleaseId,
        project: ProjectId,
        output_sha256: String,
    },

    /// A worker is about to run.
    WorkerStarted { session: SessionId, worker: WorkerKind },
    /// A worker ended or is about to be ended.
    WorkerKilled {
        session: SessionId,
        worker: WorkerKind,
        reason: String,
    },
    /// The server is about to listen.
    ServerStarted { version: String, listen: Vec<String> },
    /// The server no longer answers.
    ServerStopped { reason: String },

    /// The log, from this entry on, is about to be handed to somebody.
    LogExported { first: u64 },

    /// A call was refused: not allowed, or not well-formed.
    ControlRefused { call: String, code: String },
}

#[cfg(test)]
mod tests;
