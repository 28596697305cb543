//! `TRE-RUN`: sessions, workers and what happens to them.

super::codes! {
    /// A worker died or had to be killed.
    RUN_WORKER_LOST = "TRE-RUN-001", "the worker of this query ended before it answered",
        "The process that ran the query was killed: it used too much memory or time, or was ended from outside. Other sessions are not affected.",
        "run the query again; if it happens again, make it smaller";
    /// The query's time is over.
    RUN_TIME = "TRE-RUN-002", "the query took longer than the permit allows",
        "Every query has a time limit, set by the permit; at its end the worker is killed.",
        "narrow the query or ask the operator for a longer limit";
    /// The lower plan failed; the reason is not told, since it could depend on data.
    RUN_FAILED = "TRE-RUN-003", "the query could not be run",
        "Reasons that could depend on data, such as memory use, are never told to the analyst; the operator sees them in the log.",
        "make it smaller and run it again, or ask the operator with the query id";
    /// Not a part of this version.
    RUN_NOT_YET = "TRE-RUN-004", "this part does not exist in this version",
        "The command or option is reserved; the part behind it has not been built yet.",
        "see the README for what this version does";
    /// Something inside contradicts itself; nothing is served.
    RUN_INTERNAL = "TRE-RUN-005", "an internal check failed and nothing was answered",
        "Two parts of the system disagreed about the query, or one of them failed. Then nothing leaves.",
        "report it to the operator with the query id";
    /// As many sessions as the permit allows are open.
    RUN_TOO_MANY_SESSIONS = "TRE-RUN-006", "too many sessions of this project are open",
        "The permit, or where it does not say the deployment, limits how many sessions a project may have at once; each token has at most one.",
        "use a token whose session is open, wait until a session has been idle for the `idle_minutes` of tre.toml (15 by default), or ask the operator: `tre session list`, `tre session kill`";
    /// A statement that the session does not have.
    RUN_UNKNOWN_HANDLE = "TRE-RUN-007", "the statement is not known in this session",
        "Statements belong to one session and are forgotten after a while, or when many newer ones were prepared.",
        "prepare the statement again";
    /// A part of Flight SQL that is not offered.
    RUN_NOT_SERVED = "TRE-RUN-008", "this call is not served",
        "Sessions read: uploads, updates, transactions, savepoints and plans in other languages have no place here.",
        "send SELECT statements";
    /// Somebody stopped the query.
    RUN_CANCELLED = "TRE-RUN-009", "the query was cancelled",
        "The query was cancelled by its session or its connection was lost; the session goes on.",
        "run the query again";
    /// The session is over.
    RUN_SESSION_ENDED = "TRE-RUN-010", "the session has ended",
        "Sessions end when they are closed or killed, when their token or permit ends, and after some idle minutes.",
        "connect again, with a valid token";
    /// A call that cannot be read.
    RUN_BAD_CALL = "TRE-RUN-011", "the call cannot be read",
        "A message of the client is not of the form that the protocol asks for.",
        "correct the value named";
    /// No such session.
    RUN_UNKNOWN_SESSION = "TRE-RUN-012", "there is no such session",
        "The session has ended, or never was.",
        "see `tre session list`";
    /// A worker could not be started.
    RUN_NO_WORKER = "TRE-RUN-013", "no worker can be started",
        "The jail in which queries run could not be set up on this machine, or every user id for workers is taken.",
        "ask the operator to run `tre doctor`";
    /// The listening address.
    RUN_LISTEN = "TRE-RUN-014", "the server cannot listen there",
        "Without a certificate the server speaks plaintext, which it does on loopback only; or the address is taken.",
        "listen on a loopback address that is free (--listen or `listen` in tre.toml), or configure [tls] in tre.toml for others";
}
